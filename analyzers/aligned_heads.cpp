// Headers say which layers are read. What is matched are groups of heads; the tests are those of neurons.
#include "analyzers/aligned_heads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "analyzers/aligned_heads_measurement.hpp"
#include "analyzers/json_text.hpp"
#include "analyzers/mlp_weights.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr const char* heads_method = "aligned_heads";
constexpr std::array head_parts = {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o};

struct HeadNumbers {
  std::uint64_t heads = 0, groups = 0;
};

/// Of a model whose query heads come in equal groups; nothing otherwise.
std::optional<HeadNumbers> heads_of(const Model& model) {
  const auto heads = model.dim("heads"), groups = model.dim("kv_heads");
  if (!heads || *heads <= 0) return std::nullopt;
  const HeadNumbers out{static_cast<std::uint64_t>(*heads),
                        static_cast<std::uint64_t>(groups.value_or(*heads))};
  if (out.groups == 0 || out.heads % out.groups != 0) return std::nullopt;
  return out;
}

/// Whether q, k, v and o of a layer are there, as plain numbers and of shapes that make heads.
bool has_heads(const Model& model, int layer, const HeadNumbers& numbers, std::uint64_t width) {
  std::array<std::uint64_t, head_parts.size()> inner{};
  for (std::size_t i = 0; i < head_parts.size(); ++i) {
    const Matrix* matrix = model.find(role_of(head_parts[i], layer));
    if (matrix == nullptr || !is_plain_float(dtype_of(model, *matrix))) return false;
    const bool writer = head_parts[i] == Part::attn_o;
    inner[i] = writer ? matrix->cols : matrix->rows;
    if ((writer ? matrix->rows : matrix->cols) != width) return false;
  }
  const auto [q, k, v, o] = inner;
  return q % numbers.heads == 0 && k % numbers.groups == 0 && q / numbers.heads == k / numbers.groups &&
         v % numbers.groups == 0 && o % numbers.heads == 0 && v / numbers.groups == o / numbers.heads;
}

std::uint64_t width_of(const Model& model) {
  for (int layer = 0; layer < model.layers(); ++layer)
    if (const Matrix* q = model.find(role_of(Part::attn_q, layer))) return q->cols;
  return 0;
}

std::vector<int> head_layers_of(const ModelPair& pair) {
  std::vector<int> out;
  const auto base = heads_of(*pair.base), candidate = heads_of(*pair.candidate);
  const std::uint64_t width = width_of(*pair.base);
  if (!base || !candidate || width == 0 || width != width_of(*pair.candidate) ||
      pair.base->norm != pair.candidate->norm || pair.base->layers() != pair.candidate->layers())
    return out;
  for (int layer = 0; layer < pair.base->layers(); ++layer)
    if (has_heads(*pair.base, layer, *base, width) && has_heads(*pair.candidate, layer, *candidate, width))
      out.push_back(layer);
  return evenly_spaced(out, thresholds::lineage_layers);
}

class AlignedHeadsAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return heads_method; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const ModelPair& pair, const std::map<std::string, double>&) const override {
    std::vector<Subject> out;
    const std::vector<int> layers = head_layers_of(pair);
    for (const int layer : layers)
      out.push_back(attention(pair, layer, layer, fmt::format("layers/{}", layer)));
    if (layers.size() > 1) out.push_back(attention(pair, layers.front(), layers.back(), "control"));
    std::ranges::sort(out, {}, &Subject::path);
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return aligned_heads_cost(subject, inputs);
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return begin_aligned_heads(subject, inputs, companions);
  }

 private:
  static Subject attention(const ModelPair& pair, int base_layer, int candidate_layer, std::string path) {
    Subject s{.analyzer = {}, .path = std::move(path)};
    s.parameters = {{"width", static_cast<double>(width_of(*pair.base))},
                    {"centred", pair.base->norm == NormKind::layer ? 1 : 0}};
    for (const Side side : {Side::base, Side::candidate}) {
      const Model& model = model_of(pair, side);
      const int layer = side == Side::base ? base_layer : candidate_layer;
      const HeadNumbers numbers = *heads_of(model);
      s.parameters[side_parameter(side, "heads")] = static_cast<double>(numbers.heads);
      s.parameters[side_parameter(side, "kv_heads")] = static_cast<double>(numbers.groups);
      for (const Part part : head_parts) s.matrices.push_back(*index_in(pair, side, role_of(part, layer)));
      add_gain(pair, side, side_parameter(side, "pre"), role_of(Part::norm_pre_attn, layer), s);
      add_gain(pair, side, side_parameter(side, "post"), role_of(Part::norm_post_attn, layer), s);
      add_gain(pair, side, side_parameter(side, "query"), role_of(Part::attn_q_norm, layer), s);
      add_gain(pair, side, side_parameter(side, "key"), role_of(Part::attn_k_norm, layer), s);
    }
    add_map(pair, s);
    return s;
  }
};

HeadLayer head_layer_of(const Subject& subject, const std::optional<Features>& features) {
  HeadLayer out;
  out.subject = subject.path;
  out.problem = problem_of(features);
  if (!out.problem.empty()) return out;
  static_cast<NeuronCounts&>(out) = counts_in(*features);
  const auto count = [&](const std::string& name) { return features->counts.at(name); };
  out.heads = count("heads");
  out.agreeing_heads = count("agreeing_heads");
  out.query_key = features->numbers.at("query_key");
  out.value_output = features->numbers.at("value_output");
  return out;
}

Evidence layer_row(const HeadLayer& layer) {
  Evidence row = independence_row(heads_method, "share of agreeing groups of heads", layer.subject);
  if (!layer.problem.empty()) {
    row.abstain = "unsupported";
    row.detail_json = JsonObject().add("problem", layer.problem).text();
    return row;
  }
  row.score = layer.share();
  row.detail_json = as_details(layer)
                        .add("sorted", layer.sorted)
                        .add("heads", layer.heads)
                        .add("agreeing_heads", layer.agreeing_heads)
                        .add("query_key", layer.query_key)
                        .add("value_output", layer.value_output)
                        .text();
  return row;
}

}  // namespace

const PairAnalyzer& aligned_heads_analyzer() {
  static const AlignedHeadsAnalyzer analyzer;
  return analyzer;
}

AlignedHeads aligned_heads_of(const ModelPair& pair, const FeatureSource& features) {
  AlignedHeads out;
  for (const Subject& subject : aligned_heads_analyzer().subjects(pair, {})) {
    HeadLayer layer = head_layer_of(subject, features(heads_method, subject.path));
    (subject.path == "control" ? out.control : out.layers.emplace_back()) = std::move(layer);
  }
  std::ranges::sort(out.layers, {},
                    [](const HeadLayer& layer) { return std::atoi(layer.subject.c_str() + 7); });
  std::vector<double> shares;
  NeuronTally tally;
  for (const HeadLayer& layer : out.layers) {
    if (!layer.problem.empty()) continue;
    tally.add(layer);
    shares.push_back(layer.share());
  }
  static_cast<NeuronTests&>(out) = tally.tests();
  out.read = shares.size();
  out.share = median(std::move(shares));
  return out;
}

std::vector<Evidence> aligned_heads_evidence(const AlignedHeads& found) {
  if (!found.asked()) return {};
  Evidence all = independence_row(heads_method, "median share of agreeing groups of heads", "");
  if (found.read == 0) {
    all.abstain = "unsupported";
    return {all};
  }
  all.score = found.share;
  all.control = found.control.share();
  all.log10_p = as_log10(found.log_p_robust);
  all.grade = Grade::M;
  all.detail_json = JsonObject()
                        .add("layers", found.read)
                        .add("log10_p_nominal", as_log10(found.log_p_nominal))
                        .add("control", "heads of unlike layers")
                        .add("use", "supports neurons, raises no class")
                        .text();
  Evidence places = places_row(heads_method, found);
  places.statistic = "groups of heads that match at the same place";
  if (found.sorted) places.abstain = "sorted_heads";
  std::vector<Evidence> rows = {all, places};
  for (const HeadLayer& layer : found.layers) rows.push_back(layer_row(layer));
  if (!found.control.subject.empty()) rows.push_back(layer_row(found.control));
  return rows;
}

}  // namespace stemma
