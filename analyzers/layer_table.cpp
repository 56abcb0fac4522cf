// What are the statistics of one part of one layer, its experts taken together?
#include "analyzers/layer_table.hpp"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "analyzers/histogram.hpp"
#include "analyzers/numerics/block_moments.hpp"
#include "analyzers/numerics/portable_log.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

namespace {

struct Parts {
  Part dense;
  std::optional<Part> expert;
};

const std::map<std::string, Parts>& parts() {
  static const std::map<std::string, Parts> table = {
      {"q", {Part::attn_q, {}}},
      {"k", {Part::attn_k, {}}},
      {"v", {Part::attn_v, {}}},
      {"o", {Part::attn_o, {}}},
      {"gate", {Part::mlp_gate, Part::moe_expert_gate}},
      {"up", {Part::mlp_up, Part::moe_expert_up}},
      {"down", {Part::mlp_down, Part::moe_expert_down}},
      {"router", {Part::moe_router, {}}},
      {"norm_attn", {Part::norm_pre_attn, {}}},
      {"norm_mlp", {Part::norm_pre_mlp, {}}},
      {"embed", {Part::embed, {}}},
      {"head", {Part::lm_head, {}}},
  };
  return table;
}

bool of_whole_model(const std::string& part) { return part == "embed" || part == "head"; }

/// Central sums that stand behind stored moments.
CentralSums sums_of(const Moments& moments) {
  CentralSums sums;
  sums.n = moments.finite();
  if (sums.n == 0) return sums;
  const double n = static_cast<double>(sums.n);
  sums.mean = moments.mean;
  sums.m2 = moments.variance * n;
  if (moments.variance > 0) {
    sums.m3 = moments.skewness * moments.variance * std::sqrt(moments.variance) * n;
    sums.m4 = (moments.kurtosis_excess + 3) * moments.variance * moments.variance * n;
  }
  sums.square_sum = moments.frobenius_sq;
  sums.absolute_sum = moments.l1;
  return sums;
}

bool whole_codes(const std::optional<Histogram>& histogram) {
  return histogram && (histogram->kind == HistogramKind::code16 || histogram->kind == HistogramKind::code8);
}

/// Moments of several tensors taken as one; nothing when one of them was not measured.
std::optional<Moments> pooled(const Model& model, const FeatureSource& features,
                              const std::vector<const Matrix*>& matrices) {
  if (matrices.empty()) return std::nullopt;
  std::optional<Histogram> counts;
  CentralSums sums;
  Moments total;
  bool exact = true;
  for (const Matrix* matrix : matrices) {
    const auto found = measured(features, "histogram", subject_of(*matrix, model));
    if (!found) return std::nullopt;
    const Moments moments = moments_of(*found);
    if (matrices.size() == 1) return moments;
    std::optional<Histogram> histogram = histogram_of(*found, model.checkpoint.tensors[matrix->tensor].dtype);
    exact = exact && whole_codes(histogram) && (!counts || counts->dtype == histogram->dtype);
    if (exact) counts = counts ? merged(*counts, *histogram) : std::move(histogram);
    sums = merged(sums, sums_of(moments));
    total.n += moments.n;
  }
  if (exact) return moments_of(*counts);
  fill_from_sums(sums, total);
  return total;
}

void begin_rows(const Model& model, LayerTable& table) {
  if (!table.layer.empty()) return;
  for (int layer = -1; layer < model.layers(); ++layer) table.layer.push_back(layer);
}

}  // namespace

std::vector<const Matrix*> matrices_of(const Model& model, int layer, const std::string& part) {
  const auto& [dense, expert] = parts().at(part);
  Role role{Stack::decoder, of_whole_model(part) ? -1 : layer, dense, -1, Kind::weight};
  if (const Matrix* matrix = model.find(role)) return {matrix};
  std::vector<const Matrix*> out;
  if (!expert) return out;
  role.part = *expert;
  for (role.expert = 0;; ++role.expert) {
    const Matrix* matrix = model.find(role);
    if (matrix == nullptr) return out;
    out.push_back(matrix);
  }
}

void fill_layer_table(const Model& model, const FeatureSource& features, Fingerprint& fingerprint) {
  LayerTable& table = fingerprint.table;
  if (!table.n_elements.empty()) return;
  begin_rows(model, table);
  for (const char* part : layer_parts) {
    const std::size_t rows = table.layer.size();
    auto& deviation = table.std_unbiased[part];
    auto& frobenius = table.log_frobenius[part];
    auto& kurtosis = table.kurtosis_excess[part];
    auto& elements = table.n_elements[part];
    deviation.assign(rows, missing);
    frobenius.assign(rows, missing);
    kurtosis.assign(rows, missing);
    elements.assign(rows, 0);
    for (std::size_t row = 0; row < rows; ++row) {
      if ((table.layer[row] == -1) != of_whole_model(part)) continue;
      const auto moments = pooled(model, features, matrices_of(model, table.layer[row], part));
      if (!moments) continue;
      deviation[row] = moments->std_unbiased;
      frobenius[row] = 0.5 * portable_log(moments->frobenius_sq);
      kurtosis[row] = moments->kurtosis_excess;
      elements[row] = moments->n;
    }
  }
}

void fill_spectra(const Model& model, const FeatureSource& features, Fingerprint& fingerprint) {
  LayerTable& table = fingerprint.table;
  begin_rows(model, table);
  for (const char* part : layer_parts) {
    for (auto* column : {&table.s1, &table.stable_rank, &table.effective_rank})
      (*column)[part].assign(table.layer.size(), missing);
    for (std::size_t row = 0; row < table.layer.size(); ++row) {
      if ((table.layer[row] == -1) != of_whole_model(part)) continue;
      const auto matrices = matrices_of(model, table.layer[row], part);
      if (matrices.size() != 1) continue;
      const auto found = measured(features, "spectrum", subject_of(*matrices.front(), model));
      if (!found) continue;
      table.s1[part][row] = number_in(*found, "s1");
      table.stable_rank[part][row] = number_in(*found, "stable_rank");
      table.effective_rank[part][row] = number_in(*found, "effective_rank");
    }
  }
}

}  // namespace stemma
