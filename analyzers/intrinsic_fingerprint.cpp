// Which curves over layers does a model have?
//
// Intrinsic fingerprint (arXiv 2507.03014): the standard deviations of W_q, W_k, W_v, W_o over layers, taken
// from the exact histograms. Beside them curves of the same recipe that the paper mentions (biases, norms,
// MLP, experts), twin curves that no re-scaling inside a layer can move, and the distance of every matrix
// from a random one. What each means, and how little a high score says, stands in README.md.
#include "analyzers/intrinsic_fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/intrinsic_measurement.hpp"
#include "analyzers/intrinsic_subjects.hpp"
#include "analyzers/layer_table.hpp"
#include "analyzers/numerics/portable_log.hpp"
#include "analyzers/random_init.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

namespace {

constexpr std::string_view intrinsic_method = "intrinsic_fingerprint";

/// The values of one column of the layer table, decoder layers only.
std::vector<double> decoder_rows(const LayerTable& table, const std::string& part) {
  const auto column = table.std_unbiased.find(part);
  std::vector<double> out;
  if (column == table.std_unbiased.end()) return out;
  for (std::size_t row = 0; row < table.layer.size(); ++row) {
    if (table.layer[row] >= 0) out.push_back(column->second[row]);
  }
  return out;
}

/// 1/2 ln of the square norms of a subject: of the layer's own, else summed over its experts.
double twin_value(const FeatureSource& features, const std::string& path) {
  if (const auto found = measured(features, intrinsic_method, path))
    return 0.5 * portable_log(number_in(*found, "square_norm"));
  double sum = 0;
  for (int expert = 0;; ++expert) {
    const auto found = features(intrinsic_method, fmt::format("{}/{}", path, expert));
    if (!found) return expert == 0 ? missing : 0.5 * portable_log(sum);
    const bool usable = found->status == Status::ok || found->status == Status::duplicate;
    sum += usable ? number_in(*found, "square_norm") : missing;
  }
}

double finite_or_missing(double x) { return std::isfinite(x) ? x : missing; }

double histogram_std(const Model& model, const FeatureSource& features, const Role& role) {
  const Matrix* matrix = model.find(role);
  if (matrix == nullptr) return missing;
  const auto found = measured(features, "histogram", subject_of(*matrix, model));
  return found ? number_in(*found, "std_unbiased") : missing;
}

/// Mean over the experts of a layer of their own standard deviations; missing for dense layers.
double mean_over_experts(const Model& model, const FeatureSource& features, int layer,
                         const std::string& part) {
  const std::vector<const Matrix*> matrices = matrices_of(model, layer, part);
  if (matrices.empty() || matrices.front()->role.expert < 0) return missing;
  double sum = 0;
  for (const Matrix* matrix : matrices) sum += histogram_std(model, features, matrix->role);
  return sum / static_cast<double>(matrices.size());
}

class IntrinsicFingerprint : public Analyzer {
 public:
  std::string_view name() const override { return intrinsic_method; }
  int version() const override { return 1; }
  std::string_view paper() const override { return "arXiv 2507.03014"; }

  std::vector<Subject> subjects(const Model& model,
                                const std::map<std::string, double>& options) const override {
    return intrinsic_subjects(model, options);
  }
  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return intrinsic_cost(subject, inputs);
  }
  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return intrinsic_measurement(subject, inputs, companions);
  }

  void summarise(const Model& model, const FeatureSource& features,
                 const std::map<std::string, double>& options, Fingerprint& fingerprint) const override {
    fill_layer_table(model, features, fingerprint);
    IntrinsicCurves curves;
    for (int layer = 0; layer < model.layers(); ++layer) curves.layer.push_back(layer);
    for (std::size_t part = 0; part < qkvo_parts.size(); ++part) {
      curves.curve[part] = decoder_rows(fingerprint.table, qkvo_parts[part]);
    }
    fill_twins_and_edges(features, curves);
    const auto further = options.find("further");
    if (further == options.end() || further->second != 0)
      fill_further(model, features, fingerprint.table, curves);
    curves.random_init_reason = random_init_reason(curves);
    curves.random_init = !curves.random_init_reason.empty();
    fingerprint.intrinsic = std::move(curves);
  }

 private:
  static void fill_twins_and_edges(const FeatureSource& features, IntrinsicCurves& curves) {
    constexpr std::array<const char*, 4> pair_of = {"qk", "qk", "ov", "ov"};
    for (const int layer : curves.layer) {
      for (std::size_t i = 0; i < twin_parts.size(); ++i) {
        const double value = twin_value(features, fmt::format("layers/{}/{}", layer, twin_parts[i]));
        curves.twin[i].push_back(finite_or_missing(value));
      }
      for (std::size_t i = 0; i < qkvo_parts.size(); ++i) {
        const auto found =
            measured(features, intrinsic_method, fmt::format("layers/{}/{}", layer, pair_of[i]));
        curves.edge[i].push_back(found ? number_in(*found, fmt::format("edge_{}", qkvo_parts[i])) : missing);
      }
    }
  }

  static void fill_further(const Model& model, const FeatureSource& features, const LayerTable& table,
                           IntrinsicCurves& curves) {
    const auto keep = [&curves](const std::string& name, std::vector<double> curve) {
      const bool any = std::any_of(curve.begin(), curve.end(), [](double x) { return std::isfinite(x); });
      if (any) curves.further[name] = std::move(curve);
    };
    constexpr std::array<Part, 3> biased = {Part::attn_q, Part::attn_k, Part::attn_v};
    for (std::size_t i = 0; i < biased.size(); ++i) {
      std::vector<double> curve;
      for (const int layer : curves.layer) {
        curve.push_back(histogram_std(model, features, {Stack::decoder, layer, biased[i], -1, Kind::bias}));
      }
      keep(fmt::format("bias.{}", qkvo_parts[i]), std::move(curve));
    }
    for (const char* part : {"norm_attn", "gate", "up", "down"}) keep(part, decoder_rows(table, part));
    for (const char* part : {"gate", "up", "down"}) {
      std::vector<double> curve;
      for (const int layer : curves.layer) curve.push_back(mean_over_experts(model, features, layer, part));
      keep(fmt::format("experts.{}.mean", part), std::move(curve));
    }
  }
};

}  // namespace

const Analyzer& intrinsic_fingerprint_analyzer() {
  static const IntrinsicFingerprint question;
  return question;
}

}  // namespace stemma
