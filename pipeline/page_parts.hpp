// Which parts of a page are found by themselves?
#pragma once
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "io/config/run_config.hpp"
#include "io/report/page/content.hpp"

namespace stemma {

/// Share of neurons that do not agree; 0 between copies of one content, missing where neurons were not
/// compared.
Distances neuron_distances(const PageContent& content);

/// How the family tree is made.
struct TreeWishes {
  TreeMethod method = TreeMethod::neighbour_joining;
  std::size_t resamplings = 100;
};

/// Where something changes, by all pairs of the archive, of which MLPs agree from `share` of the neurons on.
DistanceLimits distance_limits(const std::vector<PagePair>& pairs, double share);

/// Fills dendrogram and tree from the pairs. `shares` holds, by pair, the share of agreeing neurons
/// of every matched MLP, for resampling; empty where it is not known.
void add_trees(PageContent& content, const std::vector<std::vector<float>>& shares, const TreeWishes& wishes);

/// Curves of the published method, those of its control, and spectra. `chosen`: models whose spectra are
/// shown.
void add_curves(PageContent& content, const ArchiveReader& archive, const std::vector<Fingerprint>& models,
                const std::vector<std::uint32_t>& chosen);

/// Scores of unrelated pairs with marks of those that `marked` names: places of pairs.
void add_nulls(PageContent& content, const std::vector<BackgroundScores>& backgrounds,
               const std::vector<std::size_t>& marked);

/// The page of one pair: both models, with their curves, beside the backgrounds of the whole archive. `place`
/// is that of the pair, which has the only dossier and the only marks.
PageContent only_pair(PageContent content, std::size_t place);

/// Who made the archive, with what, when.
void add_provenance(PageContent& content, const ArchiveReader& archive);

}  // namespace stemma
