// Which pieces of a model does intrinsic_fingerprint look at?
#include "analyzers/intrinsic_subjects.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "analyzers/subject_parts.hpp"

namespace stemma {

namespace {

double option(const std::map<std::string, double>& options, const char* name, double otherwise) {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : found->second;
}

/// Makes the subjects of one layer.
class LayerSubjects {
 public:
  LayerSubjects(const Model& model, int layer, bool twin) : model_(model), layer_(layer), twin_(twin) {}

  std::vector<Subject> all() {
    add("qk", {Part::attn_q, Part::attn_k}, Part::norm_pre_attn, std::nullopt);
    add("ov", {Part::attn_v, Part::attn_o}, Part::norm_pre_attn, Part::norm_post_attn);
    if (!twin_) return std::move(out_);
    const Part before = index_of(Part::norm_pre_mlp) ? Part::norm_pre_mlp : Part::norm_pre_attn;
    if (index_of(Part::mlp_up) || index_of(Part::mlp_down)) {
      add("ud", {Part::mlp_up, Part::mlp_down}, before, Part::norm_post_mlp);
      add("g", {Part::mlp_gate}, before, std::nullopt);
      return std::move(out_);
    }
    for (int expert = 0; index_of(Part::moe_expert_up, expert); ++expert) {
      add("ud", {Part::moe_expert_up, Part::moe_expert_down}, before, Part::norm_post_mlp, expert);
      add("g", {Part::moe_expert_gate}, before, std::nullopt, expert);
    }
    return std::move(out_);
  }

 private:
  std::optional<std::uint32_t> index_of(Part part, int expert = -1) const {
    return weight_index(model_, {.layer = layer_, .part = part, .expert = expert});
  }

  void add(const char* what, std::initializer_list<Part> parts, Part before, std::optional<Part> behind,
           int expert = -1) {
    Subject subject;
    subject.analyzer = "intrinsic_fingerprint";
    subject.path = expert < 0 ? fmt::format("layers/{}/{}", layer_, what)
                              : fmt::format("layers/{}/{}/{}", layer_, what, expert);
    for (const Part part : parts) {
      if (const auto index = index_of(part, expert)) subject.matrices.push_back(*index);
    }
    if (subject.matrices.empty()) return;
    subject.parameters = {
        {"heads", static_cast<double>(model_.dim("heads").value_or(0))},
        {"kv_heads", static_cast<double>(model_.dim("kv_heads").value_or(model_.dim("heads").value_or(0)))},
        {"norm", model_.norm == NormKind::layer ? 1.0 : 0.0},
        {"qk_norm", index_of(Part::attn_q_norm) || index_of(Part::attn_k_norm) ? 1.0 : 0.0},
        {"twin", twin_ ? 1.0 : 0.0}};
    add_gain(subject, "pre", model_, {.layer = layer_, .part = before});
    if (behind) {
      add_gain(subject, "post", model_, {.layer = layer_, .part = *behind});
    } else {
      subject.parameters["post"] = 0;
    }
    out_.push_back(std::move(subject));
  }

  const Model& model_;
  int layer_;
  bool twin_;
  std::vector<Subject> out_;
};

}  // namespace

std::vector<Subject> intrinsic_subjects(const Model& model, const std::map<std::string, double>& options) {
  const bool twin = option(options, "twin", 1) != 0;
  std::vector<Subject> out;
  for (int layer = 0; layer < model.layers(); ++layer) {
    for (Subject& subject : LayerSubjects(model, layer, twin).all()) out.push_back(std::move(subject));
  }
  std::sort(out.begin(), out.end(), [](const Subject& a, const Subject& b) { return a.path < b.path; });
  return out;
}

}  // namespace stemma
