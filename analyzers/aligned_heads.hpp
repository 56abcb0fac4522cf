// Which heads of attention do two models share in the same coordinates?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyzers/matched_neurons.hpp"
#include "analyzers/pair_analyzer.hpp"
#include "io/archive/features.hpp"

namespace stemma {

/// One subject for each of at most eight evenly spaced layers, "layers/L", and "control", the attention of
/// the base's first layer against that of the candidate's last. For models of equal depth and width with
/// separate q, k, v and o; the numbers of heads may differ. Coordinates as for aligned_neurons.
const PairAnalyzer& aligned_heads_analyzer();

/// Groups of attention heads of one layer (those that share a key and a value), held against each other as
/// neurons of two MLPs are: kept, units, matched, agreeing, labelled and fixed count groups here.
struct HeadLayer : NeuronCounts {
  std::string subject;
  std::uint64_t heads = 0;           ///< query heads in groups that agree, of the model with fewer
  std::uint64_t agreeing_heads = 0;  ///< those that both kinds of circuits match with the same head
  /// Mean cosine of the circuits of agreeing groups: of queries with keys, and of values with outputs.
  double query_key = missing, value_output = missing;
  std::string problem;  ///< why it was not read
};

/// All layers of one pair. A layer has few groups, so they support what neurons say, and raise no class.
struct AlignedHeads : NeuronTests {
  std::vector<HeadLayer> layers;  ///< without the control
  HeadLayer control;              ///< without subject where a single layer leaves none
  std::uint64_t read = 0;         ///< layers without problem
  double share = missing;         ///< of agreeing groups, median of layers

  bool asked() const { return !layers.empty(); }
};
AlignedHeads aligned_heads_of(const ModelPair& pair, const FeatureSource& features);

/// Rows of evidence: agreement of two matchings, then places, each layer and the control as roles; none where
/// nobody asked.
std::vector<Evidence> aligned_heads_evidence(const AlignedHeads& found);

}  // namespace stemma
