// Roles decide which readings a pair of layers can give.
#include "analyzers/origin_tracer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "analyzers/origin_measurement.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

Role weight_of(int layer, Part part) { return {.layer = layer, .part = part}; }

OriginObstacle unsupported(std::string sentence) { return {"unsupported", std::move(sentence)}; }

/// Why a weight may be missing: integers are codes, and codes have no role. `otherwise` where none is stored.
OriginObstacle obstacle(const ModelPair& pair, std::string otherwise) {
  for (const Model* model : {pair.base, pair.candidate})
    for (const Matrix& matrix : model->matrices) {
      const StoredTensor& tensor = model->checkpoint.tensors[matrix.tensor];
      if (matrix.role.part == Part::unknown && !is_real(tensor.dtype))
        return {"unreadable_quantisation", fmt::format("{} is stored as {}: codes, which are no values",
                                                       tensor.name, name_of(tensor.dtype))};
    }
  return unsupported(std::move(otherwise));
}

/// Sizes of a model that two must share.
constexpr std::array<const char*, 4> sizes = {"hidden", "heads", "kv_heads", "head_dim"};

OriginObstacle different_sizes(const ModelPair& pair) {
  for (const char* size : sizes) {
    const auto of_base = pair.base->dim(size), of_candidate = pair.candidate->dim(size);
    if (!of_base || !of_candidate)
      return unsupported(fmt::format("{} is unknown in at least one model", size));
    if (*of_base != *of_candidate)
      return unsupported(
          fmt::format("{} is {} in one model and {} in the other", size, *of_base, *of_candidate));
  }
  if (pair.base->layers() != pair.candidate->layers())
    return obstacle(pair, fmt::format("one model has {} layers and the other {}", pair.base->layers(),
                                      pair.candidate->layers()));
  return {};
}

/// The type of a side whose rounding is far above the size of an update, if one has such a type.
std::optional<Dtype> unreadable(const ModelPair& pair, const ModelPair::Both& both) {
  for (const Dtype dtype :
       {dtype_of(*pair.base, pair.base_matrix(both)), dtype_of(*pair.candidate, pair.candidate_matrix(both))})
    if (!is_plain_float(dtype)) return dtype;
  return std::nullopt;
}

class OriginTracer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return "origin_tracer"; }
  int version() const override { return 2; }
  std::string_view paper() const override { return "arXiv 2505.19466"; }

  std::vector<Subject> subjects(const ModelPair& pair,
                                const std::map<std::string, double>& options) const override {
    if (!origin_obstacle(pair).reason.empty()) return {};
    std::vector<Subject> out;
    const int layers = pair.base->layers();
    for (int layer = 0; layer < layers; ++layer) {
      add_circuit(pair, layer, layer, OriginKind::circuit, options, out);
      if (pair.alignment.change != StreamChange::unaligned)
        for (const Part part : {Part::attn_k, Part::attn_v}) add_rows(pair, layer, part, options, out);
    }
    if (pair.alignment.change == StreamChange::identity) add_tensors(pair, options, out);
    if (layers > 1) add_circuit(pair, 0, layers - 1, OriginKind::control, options, out);
    std::ranges::sort(out, {}, &Subject::path);
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return origin_cost(subject, inputs);
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return begin_origin(subject, inputs, companions);
  }

 private:
  static Subject subject_of(const ModelPair& pair, OriginKind kind, const Role& role,
                            const std::map<std::string, double>& options) {
    Subject s{.analyzer = {}, .path = origin_path(kind, role)};
    s.parameters = options;
    s.parameters["reading"] = static_cast<double>(kind);
    s.parameters["width"] = static_cast<double>(*pair.base->dim("hidden"));
    s.parameters["heads"] = static_cast<double>(*pair.base->dim("heads"));
    s.parameters["kv_heads"] = static_cast<double>(*pair.base->dim("kv_heads"));
    s.parameters["head_width"] = static_cast<double>(*pair.base->dim("head_dim"));
    s.parameters["centred"] = pair.base->norm == NormKind::layer ? 1 : 0;
    s.parameters["change"] = static_cast<double>(pair.alignment.change);
    s.parameters["scale"] = pair.alignment.scale;
    return s;
  }

  /// Gains in front of attention, then the map: what is read whole beforehand.
  static void add_companions(const ModelPair& pair, int base_layer, int candidate_layer, Subject& s) {
    const Role base_norm = weight_of(base_layer, Part::norm_pre_attn),
               candidate_norm = weight_of(candidate_layer, Part::norm_pre_attn);
    const auto base = pair.in_base(base_norm), candidate = pair.in_candidate(candidate_norm);
    s.parameters["gains"] = base && candidate ? 1 : 0;
    if (base && candidate) {
      s.parameters["gain_offset_base"] = pair.base->find(base_norm)->gain_offset;
      s.parameters["gain_offset_candidate"] = pair.candidate->find(candidate_norm)->gain_offset;
      s.companions = {*base, *candidate};
    }
    // A map that only comes near is not for circuits.
    if (pair.alignment.map && pair.alignment.change != StreamChange::unaligned)
      s.companions.push_back(*pair.alignment.map);
  }

  static bool all_equal(const ModelPair& pair, int layer, std::span<const Part> parts) {
    return std::ranges::all_of(
        parts, [&](Part part) { return pair.equal.contains(path_of(weight_of(layer, part))); });
  }

  static void add_circuit(const ModelPair& pair, int base_layer, int candidate_layer, OriginKind kind,
                          const std::map<std::string, double>& options, std::vector<Subject>& out) {
    constexpr std::array parts = {Part::attn_v, Part::attn_o, Part::norm_pre_attn};
    if (kind == OriginKind::circuit && all_equal(pair, base_layer, parts)) return;
    Subject s = subject_of(pair, kind, weight_of(base_layer, Part::attn_v), options);
    for (const Part part : {Part::attn_v, Part::attn_o})
      s.matrices.push_back(*pair.in_base(weight_of(base_layer, part)));
    for (const Part part : {Part::attn_v, Part::attn_o})
      s.matrices.push_back(*pair.in_candidate(weight_of(candidate_layer, part)));
    add_half_distances(pair, s);
    add_companions(pair, base_layer, candidate_layer, s);
    out.push_back(std::move(s));
  }

  static void add_tensors(const ModelPair& pair, const std::map<std::string, double>& options,
                          std::vector<Subject>& out) {
    for (const Matrix& matrix : pair.base->matrices) {
      const Role& role = matrix.role;
      if (role.stack != Stack::decoder || role.layer < 0 || role.kind != Kind::weight || matrix.vector ||
          role.part == Part::unknown || role.part == Part::other || role.part == Part::buffer)
        continue;
      const auto both = pair.find(role);
      if (!both || pair.equal.contains(path_of(role)) || unreadable(pair, *both)) continue;
      const Matrix& other = pair.candidate_matrix(*both);
      if (other.rows != matrix.rows || other.cols != matrix.cols || other.vector) continue;
      Subject s = subject_of(pair, OriginKind::tensor, role, options);
      s.matrices = {both->base, both->candidate};
      add_half_distances(pair, s);
      out.push_back(std::move(s));
    }
  }

  static void add_rows(const ModelPair& pair, int layer, Part part,
                       const std::map<std::string, double>& options, std::vector<Subject>& out) {
    const Role role = weight_of(layer, part);
    const auto both = pair.find(role);
    if (!both || unreadable(pair, *both)) return;
    const Matrix& base = pair.base_matrix(*both);
    const Matrix& candidate = pair.candidate_matrix(*both);
    if (base.rows >= base.cols || base.rows != candidate.rows || base.cols != candidate.cols) return;
    const std::array parts = {part, Part::norm_pre_attn};
    if (all_equal(pair, layer, parts)) return;
    Subject s = subject_of(pair, OriginKind::row_space, role, options);
    s.matrices = {both->base, both->candidate};
    add_half_distances(pair, s);
    add_companions(pair, layer, layer, s);
    out.push_back(std::move(s));
  }
};

}  // namespace

const PairAnalyzer& origin_tracer_analyzer() {
  static const OriginTracer analyzer;
  return analyzer;
}

std::string origin_path(OriginKind kind, const Role& role) {
  switch (kind) {
    case OriginKind::circuit:
      return fmt::format("layers/{}/circuit", role.layer);
    case OriginKind::tensor:
      return path_of(role);
    case OriginKind::row_space:
      return path_of(role) + "/rows";
    case OriginKind::control:
      break;
  }
  return "control";
}

OriginObstacle origin_obstacle(const ModelPair& pair) {
  if (pair.base->norm != pair.candidate->norm) return unsupported("the models normalise in different ways");
  if (OriginObstacle sizes_differ = different_sizes(pair); !sizes_differ.reason.empty()) return sizes_differ;
  const auto size = [&](const char* name) { return static_cast<std::uint64_t>(*pair.base->dim(name)); };
  if (pair.base->layers() == 0) return unsupported("no layer is known");
  if (size("kv_heads") == 0 || size("heads") % size("kv_heads") != 0)
    return unsupported("the number of query heads is no multiple of that of kv heads");
  for (int layer = 0; layer < pair.base->layers(); ++layer)
    for (const Part part : {Part::attn_v, Part::attn_o}) {
      const Role role = weight_of(layer, part);
      const auto both = pair.find(role);
      if (!both) return obstacle(pair, fmt::format("at least one model has no {}", path_of(role)));
      const std::uint64_t inner = size(part == Part::attn_v ? "kv_heads" : "heads") * size("head_dim");
      for (const Matrix* m : {&pair.base_matrix(*both), &pair.candidate_matrix(*both)})
        if ((part == Part::attn_v ? m->rows : m->cols) != inner ||
            (part == Part::attn_v ? m->cols : m->rows) != size("hidden"))
          return unsupported(
              fmt::format("{} does not have the shape that heads and width ask for", path_of(role)));
      if (const auto dtype = unreadable(pair, *both))
        return {"unreadable_quantisation",
                fmt::format("{} is stored as {}, whose rounding is far above an update's size", path_of(role),
                            name_of(*dtype))};
    }
  return {};
}

}  // namespace stemma
