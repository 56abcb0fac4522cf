// Headers say which layers are read; which neurons agree says whether two models started apart, and two kinds
// of cosines whether they ended apart.
//
// H0: the models come from independent random initialisations, whatever else they share.
//
// Places and the agreement of two matchings test H0 (matched_neurons.hpp), here over all neurons of a layer.
// A start that two models share contradicts H0 as descent does. What training writes stands out of the noise
// of a weight (its spikes), what the start left is the noise (its bulk), so kappa = cosine of the spikes /
// cosine of the bulk is near 1 for a descendant, which inherited both, and below for models that share a
// start and were trained apart.
#include "analyzers/aligned_neurons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "analyzers/aligned_neurons_measurement.hpp"
#include "analyzers/json_text.hpp"
#include "analyzers/mlp_weights.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr const char* neurons_method = "aligned_neurons";
/// Layers that are read. Those that gave the map know the answer already.
std::vector<int> neuron_layers_of(const ModelPair& pair) {
  const std::vector<int> all = shared_mlps(pair);
  return evenly_spaced(pair.alignment.by_neurons ? every_other(all, 1) : all, thresholds::lineage_layers);
}

class AlignedNeuronsAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return neurons_method; }
  int version() const override { return 2; }

  std::vector<Subject> subjects(const ModelPair& pair, const std::map<std::string, double>&) const override {
    if (!aligned_neurons_obstacle(pair).empty()) return {};
    std::vector<Subject> out;
    const std::vector<int> layers = neuron_layers_of(pair);
    for (const int layer : layers) out.push_back(mlp(pair, layer, layer, fmt::format("layers/{}", layer)));
    if (layers.size() > 1) out.push_back(mlp(pair, layers.front(), layers.back(), "control"));
    std::ranges::sort(out, {}, &Subject::path);
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return aligned_neurons_cost(subject, inputs);
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return begin_aligned_neurons(subject, inputs, companions);
  }

 private:
  static Subject mlp(const ModelPair& pair, int base_layer, int candidate_layer, std::string path) {
    Subject s{.analyzer = {}, .path = std::move(path)};
    s.parameters = {{"width", static_cast<double>(stream_width(*pair.base))}};
    add_mlps(pair, base_layer, candidate_layer, "", s);
    add_map(pair, s);
    return s;
  }
};

NeuronLayer neuron_layer_of(const Subject& subject, const std::optional<Features>& features) {
  NeuronLayer out;
  out.subject = subject.path;
  out.problem = problem_of(features);
  if (!out.problem.empty()) return out;
  static_cast<NeuronCounts&>(out) = counts_in(*features);
  const auto count = [&](const std::string& name) { return features->counts.at(name); };
  const auto number = [&](const std::string& name) { return features->numbers.at(name); };
  if (features->counts.contains("assigned")) out.assigned = count("assigned");
  for (const std::string part : mlp_weights) {
    if (!features->numbers.contains(part + "_whole")) continue;
    out.weights.push_back({.part = part,
                           .spikes_of_base = count(part + "_spikes_of_base"),
                           .spikes_of_candidate = count(part + "_spikes_of_candidate"),
                           .whole = number(part + "_whole"),
                           .spikes = number(part + "_spikes"),
                           .bulk = number(part + "_bulk"),
                           .shuffled_spikes = number(part + "_shuffled_spikes"),
                           .shuffled_bulk = number(part + "_shuffled_bulk")});
  }
  return out;
}

double median_of_weights(const std::vector<NeuronLayer>& layers, double SharedWeight::*cosine) {
  std::vector<double> values;
  for (const NeuronLayer& layer : layers)
    for (const SharedWeight& weight : layer.weights) values.push_back(weight.*cosine);
  return median(std::move(values));
}

void weigh(AlignedNeurons& found) {
  std::vector<double> shares;
  NeuronTally tally;
  for (const NeuronLayer& layer : found.layers) {
    if (!layer.problem.empty()) continue;
    tally.add(layer);
    shares.push_back(layer.share());
    found.agreeing_layers += layer.share() >= found.rule.share;
  }
  found.read = shares.size();
  static_cast<NeuronTests&>(found) = tally.tests();
  found.share = median(std::move(shares));
  found.whole = median_of_weights(found.layers, &SharedWeight::whole);
  found.spikes = median_of_weights(found.layers, &SharedWeight::spikes);
  found.bulk = median_of_weights(found.layers, &SharedWeight::bulk);
  found.shuffled_spikes = median_of_weights(found.layers, &SharedWeight::shuffled_spikes);
  found.shuffled_bulk = median_of_weights(found.layers, &SharedWeight::shuffled_bulk);
}

}  // namespace

const PairAnalyzer& aligned_neurons_analyzer() {
  static const AlignedNeuronsAnalyzer analyzer;
  return analyzer;
}

std::string aligned_neurons_obstacle(const ModelPair& pair) {
  if (pair.base->norm != pair.candidate->norm) return "the models normalise in different ways";
  if (pair.base->layers() != pair.candidate->layers())
    return fmt::format("one model has {} layers and the other {}", pair.base->layers(),
                       pair.candidate->layers());
  const std::uint64_t base = stream_width(*pair.base), candidate = stream_width(*pair.candidate);
  if (base != candidate && base > 0 && candidate > 0)
    return fmt::format("hidden is {} in one model and {} in the other", base, candidate);
  if (!neuron_layers_of(pair).empty()) return "";
  for (int layer = 0; layer < pair.base->layers(); ++layer)
    for (const Model* model : {pair.base, pair.candidate})
      if (std::string why = mlp_problem(*model, layer); !why.empty()) return why;
  return pair.base->layers() == 0 ? "no layer is known" : "only one model has gates";
}

AlignedNeurons aligned_neurons_of(const ModelPair& pair, const FeatureSource& features,
                                  const LineageRule& rule) {
  AlignedNeurons out;
  out.rule = rule;
  out.obstacle = aligned_neurons_obstacle(pair);
  const KnownAlignment& known = pair.alignment;
  out.coordinates = known.by_neurons                                        ? by_other_neurons
                    : known.change == StreamChange::unaligned && !known.map ? "as stored"
                                                                            : "embeddings";
  for (const Subject& subject : aligned_neurons_analyzer().subjects(pair, {})) {
    NeuronLayer layer = neuron_layer_of(subject, features(neurons_method, subject.path));
    (subject.path == "control" ? out.control : out.layers.emplace_back()) = std::move(layer);
  }
  std::ranges::sort(out.layers, {},
                    [](const NeuronLayer& layer) { return std::atoi(layer.subject.c_str() + 7); });
  weigh(out);
  return out;
}

namespace {

Evidence layer_row(const NeuronLayer& layer) {
  Evidence one = independence_row(neurons_method, "share of agreeing neurons", layer.subject);
  if (!layer.problem.empty()) {
    one.abstain = "unsupported";
    one.detail_json = JsonObject().add("problem", layer.problem).text();
    return one;
  }
  one.score = layer.share();
  JsonObject detail = as_details(layer);
  detail.add("sorted", layer.sorted);
  if (layer.assigned) detail.add("assigned", *layer.assigned);
  for (const SharedWeight& weight : layer.weights)
    detail.add(weight.part + "_cosine", weight.whole)
        .add(weight.part + "_spikes", weight.spikes)
        .add(weight.part + "_bulk", weight.bulk)
        .add(weight.part + "_spikes_of_base", weight.spikes_of_base)
        .add(weight.part + "_spikes_of_candidate", weight.spikes_of_candidate);
  one.detail_json = detail.text();
  return one;
}

}  // namespace

std::vector<Evidence> aligned_neurons_evidence(const AlignedNeurons& found) {
  if (!found.asked()) return {};
  Evidence agreeing = independence_row(neurons_method, "median share of agreeing neurons", "");
  if (found.read == 0) {
    agreeing.abstain = "unsupported";
    if (!found.obstacle.empty())
      agreeing.detail_json = JsonObject().add("not_applicable", found.obstacle).text();
    return {agreeing};
  }
  agreeing.score = found.share;
  agreeing.control = found.control.share();
  agreeing.log10_p = as_log10(found.log_p_robust);
  agreeing.grade = Grade::M;
  agreeing.detail_json = JsonObject()
                             .add("layers", found.read)
                             .add("coordinates", found.coordinates)
                             .add("agreeing_layers", found.agreeing_layers)
                             .add("log10_p_nominal", as_log10(found.log_p_nominal))
                             .add("control", "neurons of unlike layers")
                             .text();
  Evidence kappa =
      independence_row(neurons_method, "kappa: cosine of the spikes over cosine of the bulk", "kappa");
  kappa.null = "none valid";
  kappa.score = found.kappa();
  kappa.control = found.shuffled_kappa();
  kappa.detail_json = JsonObject()
                          .add("spikes", found.spikes)
                          .add("bulk", found.bulk)
                          .add("cosine", found.whole)
                          .add("shuffled_spikes", found.shuffled_spikes)
                          .add("shuffled_bulk", found.shuffled_bulk)
                          .add("control", "spikes of neurons paired at random")
                          .add("calibration", "small models only")
                          .text();
  std::vector<Evidence> rows = {agreeing, places_row(neurons_method, found), kappa};
  for (const NeuronLayer& layer : found.layers) rows.push_back(layer_row(layer));
  if (!found.control.subject.empty()) rows.push_back(layer_row(found.control));
  return rows;
}

}  // namespace stemma
