// One subject for each MLP, its readers and its writer, and one for q and k of each layer, all seen through
// the model's anchor tokens. What two models' neurons say about each other is asked in neuron_pair.
#include "analyzers/neuron_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "analyzers/attention_reading.hpp"
#include "analyzers/neuron_readings.hpp"
#include "analyzers/packed_bytes.hpp"
#include "analyzers/subject_parts.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/archive/neuron_sketch.hpp"

namespace stemma {
namespace {

constexpr std::string_view neuron_method = "neuron_match";

/// Parts of an MLP: the dense one of a layer, or one of its experts.
struct MlpParts {
  Part gate, up, down;
};
constexpr MlpParts dense = {Part::mlp_gate, Part::mlp_up, Part::mlp_down};
constexpr MlpParts of_expert = {Part::moe_expert_gate, Part::moe_expert_up, Part::moe_expert_down};

std::string path_of_mlp(int layer, int expert) {
  return expert < 0 ? fmt::format("layers/{}/neurons", layer)
                    : fmt::format("layers/{}/neurons/{}", layer, expert);
}

std::string path_of_attention(int layer) { return fmt::format("layers/{}/attention", layer); }
bool of_attention(const Subject& subject) { return subject.path.ends_with("/attention"); }

/// Makes the subjects of one model.
class NeuronSubjects {
 public:
  explicit NeuronSubjects(const Model& model) : model_(model) {}

  std::vector<Subject> all() {
    if (model_.anchors.size() == 0) return {};
    for (int layer = 0; layer < model_.layers(); ++layer) {
      add_attention(layer);
      if (index_of(dense.up, layer)) {
        add(dense, layer, -1, most_neurons);
        continue;
      }
      int experts = 0;
      while (index_of(of_expert.up, layer, experts)) ++experts;
      if (experts == 0) continue;
      const std::size_t kept =
          std::clamp(most_in_experts / static_cast<std::size_t>(experts), fewest_of_expert, most_neurons);
      for (int expert = 0; expert < experts; ++expert) add(of_expert, layer, expert, kept);
    }
    return std::move(out_);
  }

 private:
  std::optional<std::uint32_t> index_of(Part part, int layer, int expert = -1) const {
    return weight_index(model_, {.layer = layer, .part = part, .expert = expert});
  }

  void add(const MlpParts& parts, int layer, int expert, std::size_t kept) {
    Subject subject;
    subject.path = path_of_mlp(layer, expert);
    const auto gate = index_of(parts.gate, layer, expert);
    for (const auto& index : {gate, index_of(parts.up, layer, expert), index_of(parts.down, layer, expert)})
      if (index) subject.matrices.push_back(*index);
    subject.parameters = {{"norm", model_.norm == NormKind::layer ? 1.0 : 0.0},
                          {"kept", static_cast<double>(kept)},
                          {"anchors", static_cast<double>(model_.anchors.size())}};
    // A block with one norm for attention and MLP reads both through it.
    const Part before = index_of(Part::norm_pre_mlp, layer) ? Part::norm_pre_mlp : Part::norm_pre_attn;
    add_gain(subject, "pre", model_, {.layer = layer, .part = before});
    add_gain(subject, "post", model_, {.layer = layer, .part = Part::norm_post_mlp});
    const std::uint32_t embedding = *index_of(Part::embed, -1);
    subject.anchored.push_back(embedding);
    if (!gate) {
      add_gain(subject, "final", model_, {.layer = -1, .part = Part::norm_final});
      subject.anchored.push_back(index_of(Part::lm_head, -1).value_or(embedding));
    }
    out_.push_back(std::move(subject));
  }

  void add_attention(int layer) {
    const auto q = index_of(Part::attn_q, layer), k = index_of(Part::attn_k, layer);
    if (!q || !k) return;
    Subject subject;
    subject.path = path_of_attention(layer);
    subject.matrices = {*q, *k};
    const auto heads = model_.dim("heads").value_or(0);
    subject.parameters = {{"norm", model_.norm == NormKind::layer ? 1.0 : 0.0},
                          {"heads", static_cast<double>(heads)},
                          {"kv_heads", static_cast<double>(model_.dim("kv_heads").value_or(heads))},
                          {"anchors", static_cast<double>(model_.anchors.size())},
                          {"by_string", static_cast<double>(model_.anchors.by_string)}};
    add_gain(subject, "pre", model_, {.layer = layer, .part = Part::norm_pre_attn});
    add_gain(subject, "q_gain", model_, {.layer = layer, .part = Part::attn_q_norm});
    add_gain(subject, "k_gain", model_, {.layer = layer, .part = Part::attn_k_norm});
    subject.anchored.push_back(*index_of(Part::embed, -1));
    out_.push_back(std::move(subject));
  }

  const Model& model_;
  std::vector<Subject> out_;
};

class NeuronMatch : public Analyzer {
 public:
  std::string_view name() const override { return neuron_method; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const Model& model, const std::map<std::string, double>&) const override {
    const Matrix* embedding = model.find({.part = Part::embed});
    if (embedding == nullptr || !is_real(dtype_of(model, *embedding))) return {};
    std::vector<Subject> out = NeuronSubjects(model).all();
    for (Subject& subject : out) subject.analyzer = neuron_method;
    std::ranges::sort(out, {}, &Subject::path);
    return out;
  }
  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return of_attention(subject) ? attention_reading_cost(subject, inputs)
                                 : neuron_readings_cost(subject, inputs);
  }
  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    if (of_attention(subject)) return attention_reading(subject, inputs, companions);
    return neuron_readings(subject, inputs, companions);
  }

  void summarise(const Model& model, const FeatureSource& features, const std::map<std::string, double>&,
                 Fingerprint& fingerprint) const override {
    NeuronSketch sketch;
    sketch.keys = model.anchors.keys;
    sketch.by_string = static_cast<std::uint32_t>(model.anchors.by_string);
    if (const Matrix* embedding = model.find({.part = Part::embed})) sketch.vocabulary = embedding->rows;
    for (int layer = 0; layer < model.layers(); ++layer) {
      add_attention(features, layer, sketch);
      add_block(features, layer, -1, sketch);
      for (int expert = 0; features(neuron_method, path_of_mlp(layer, expert)); ++expert)
        add_block(features, layer, expert, sketch);
    }
    if (!sketch.blocks.empty()) fingerprint.neurons = std::move(sketch);
  }

 private:
  static void add_attention(const FeatureSource& features, int layer, NeuronSketch& sketch) {
    const auto found = measured(features, neuron_method, path_of_attention(layer));
    const std::size_t anchors = attention_anchors(sketch.keys.size(), sketch.by_string).size();
    if (!found || count_in(*found, "anchors") != anchors || found->integers.at("reading").empty()) return;
    sketch.attention.push_back({layer, unpacked(found->integers.at("reading"), anchors * anchors)});
  }

  /// Nothing where the MLP could not be read.
  static void add_block(const FeatureSource& features, int layer, int expert, NeuronSketch& sketch) {
    const auto found = measured(features, neuron_method, path_of_mlp(layer, expert));
    if (!found || count_in(*found, "anchors") != sketch.keys.size()) return;
    NeuronBlock& block = sketch.blocks.emplace_back();
    block.layer = layer;
    block.expert = expert;
    block.units = static_cast<std::uint32_t>(count_in(*found, "units"));
    block.gated = count_in(*found, "gated") != 0;
    block.order = number_in(*found, "order");
    for (const std::uint64_t unit : found->integers.at("unit"))
      block.unit.push_back(static_cast<std::uint32_t>(unit));
    block.norm_first = found->reals.at("norm_first");
    block.norm_product = found->reals.at("norm_product");
    const std::size_t answers = block.size() * sketch.keys.size();
    block.first = unpacked(found->integers.at("first"), answers);
    block.second = unpacked(found->integers.at("second"), answers);
  }
};

}  // namespace

const Analyzer& neuron_match_analyzer() {
  static const NeuronMatch question;
  return question;
}

}  // namespace stemma
