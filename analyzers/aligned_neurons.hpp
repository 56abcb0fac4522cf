// Which neurons do two models share in the same coordinates, and is what they share more than a start?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyzers/lineage_rule.hpp"
#include "analyzers/matched_neurons.hpp"
#include "analyzers/pair_analyzer.hpp"
#include "io/archive/features.hpp"

namespace stemma {

/// One subject for each of at most eight evenly spaced layers whose MLP both models have, "layers/L", and
/// "control", the MLP of the base's first against that of the candidate's last. Needs models of equal depth
/// and width; where neurons gave the map, only layers that it was not made from. The candidate is brought
/// into the coordinates of the base by `pair.alignment`: by its map where it has one, also where that map is
/// judged too loose for other readings, and as it is where it has none. Neither how the null hypothesis is
/// tested nor the ratio of cosines asks for more than that.
const PairAnalyzer& aligned_neurons_analyzer();

/// What follows "because" where no MLPs can be compared; "" when some can. From headers only.
std::string aligned_neurons_obstacle(const ModelPair& pair);

/// Cosines of one weight of both models, over matched neurons: as wholes, of what stands out of its noise,
/// and of the rest; the same where neurons are paired at random.
struct SharedWeight {
  std::string part;  ///< gate, up or down
  std::uint64_t spikes_of_base = 0, spikes_of_candidate = 0;
  double whole = missing, spikes = missing, bulk = missing;
  double shuffled_spikes = missing, shuffled_bulk = missing;
};

/// One pair of MLPs, over all their neurons.
struct NeuronLayer : NeuronCounts {
  std::string subject;
  std::vector<SharedWeight> weights;
  /// Neurons of which two optimal assignments say the same: more than agreeing ones, of strangers too, so
  /// that nothing follows from them alone. Nothing for wide MLPs.
  std::optional<std::uint64_t> assigned;
  std::string problem;  ///< why it was not read
};

inline constexpr const char* by_other_neurons = "neurons of other layers";

/// All layers of one pair, and what they come to. Nobody asks where other readings explain a pair: then it is
/// empty.
struct AlignedNeurons : NeuronTests {
  std::string obstacle;
  std::string coordinates;  ///< what brought the candidate into those of the base: "embeddings", "neurons of
                            ///< other layers", or, where nothing did, "as stored"
  std::vector<NeuronLayer> layers;  ///< without the control
  NeuronLayer control;              ///< without subject where a single layer leaves none
  std::uint64_t pairs = 1;          ///< pairs that were asked together
  LineageRule rule = {};            ///< by which they are judged

  std::uint64_t read = 0;             ///< layers without problem
  std::uint64_t agreeing_layers = 0;  ///< those that agree in the share of neurons of the rule
  double share = missing;             ///< of agreeing neurons, median of layers

  /// Medians over weights; of the spikes, over those with spikes in both.
  double whole = missing, spikes = missing, bulk = missing;
  double shuffled_spikes = missing, shuffled_bulk = missing;
  double kappa() const { return spikes / bulk; }
  double shuffled_kappa() const { return shuffled_spikes / bulk; }

  bool asked() const { return !layers.empty() || !obstacle.empty(); }
};
AlignedNeurons aligned_neurons_of(const ModelPair& pair, const FeatureSource& features,
                                  const LineageRule& rule = {});

/// Rows of evidence: agreement of two matchings, then places, kappa, each layer and the control as roles;
/// none where nobody asked.
std::vector<Evidence> aligned_neurons_evidence(const AlignedNeurons& found);

}  // namespace stemma
