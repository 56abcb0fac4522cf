// How far apart are the gradient responses of two models?
//
// The distance depends on who else is in the corpus, because every feature is standardised over it, and most
// of it on the shapes of the tensors alone: the control, the same distance between Gaussian weights of the
// same shapes, stands beside it. Repaired responses do see weights and are compared projection by projection,
// over layers, beside what independent curves of that length would give. No null is valid for either, so
// neither raises a verdict.
#include "analyzers/tensorguard_pair.hpp"

#include <cmath>
#include <optional>
#include <vector>

#include "analyzers/curve_score.hpp"
#include "analyzers/json_text.hpp"
#include "analyzers/tensorguard_families.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

constexpr std::size_t fewest_to_scale = 3;

/// Layers where both curves have a value; 0 for models of different depth.
int common_layers(const std::vector<double>& a, const std::vector<double>& b) {
  int layers = 0;
  for (std::size_t i = 0; a.size() == b.size() && i < a.size(); ++i)
    layers += std::isfinite(a[i]) && std::isfinite(b[i]) ? 1 : 0;
  return layers;
}

/// One row for each projection that both models have.
void add_repaired(const Fingerprint& a, const Fingerprint& b, std::vector<Evidence>& rows) {
  if (!a.repaired || !b.repaired) return;
  for (std::size_t p = 0; p < projection_parts.size(); ++p) {
    const std::vector<double>&one = a.repaired->kurtosis[p], &other = b.repaired->kurtosis[p];
    if (finite_values(one).empty() || finite_values(other).empty()) continue;
    const int layers = common_layers(one, other);
    const auto r_of = [&](const RepairedCurves::Curves RepairedCurves::*curves) {
      return layers > 1
                 ? compare_curves(((*a.repaired).*curves)[p], ((*b.repaired).*curves)[p], DepthMode::refuse).r
                 : missing;
    };
    Evidence row;
    row.method = "tensorguard";
    row.statistic = "Pearson r of repaired response curves";
    row.null = "none valid";
    row.role = projection_parts[p];
    row.score = r_of(&RepairedCurves::kurtosis);
    // Whatever their values are, curves in an order that knows nothing of each other have this r in the mean
    // of squares.
    if (layers > 1) row.control = 1 / std::sqrt(layers - 1.0);
    row.detail_json = JsonObject()
                          .add("r_skewness", r_of(&RepairedCurves::skewness))
                          .add("layers", layers)
                          .add("control", "root mean square of r of independent curves")
                          .text();
    if (one.size() != other.size()) {
      row.abstain = "unaligned";
    } else if (layers < thresholds::min_layers) {
      row.abstain = "too_few_layers";
    }
    rows.push_back(std::move(row));
  }
}

class GuardPair : public PairTest {
 public:
  GuardPair() = default;
  explicit GuardPair(std::span<const Fingerprint> models) {
    std::vector<GuardVector> values, controls;
    for (const Fingerprint& model : models) {
      if (!model.guard) continue;
      values.push_back(model.guard->value);
      controls.push_back(model.guard->control);
    }
    if (values.size() < fewest_to_scale) return;
    models_ = values.size();
    scaler_.emplace(values);
    control_scaler_.emplace(controls);
  }

  std::string_view name() const override { return "tensorguard"; }
  std::vector<std::string_view> needs() const override { return {"tensorguard"}; }
  std::unique_ptr<PairTest> fitted(std::span<const Fingerprint> models) const override {
    return std::make_unique<GuardPair>(models);
  }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    Evidence row;
    row.method = name();
    row.statistic = "distance of standardised gradient responses";
    row.null = "none valid";
    if (!a.guard || !b.guard) {
      row.abstain = "unsupported";
    } else if (!scaler_) {
      row.abstain = "too_few_models";
    } else {
      row.score = euclidean_distance((*scaler_)(a.guard->value), (*scaler_)(b.guard->value));
      row.control =
          euclidean_distance((*control_scaler_)(a.guard->control), (*control_scaler_)(b.guard->control));
      row.detail_json = JsonObject()
                            .add("standardised_over", models_)
                            .add("unknown_beyond", thresholds::guard_unknown)
                            .add("control", "Gaussian weights of the same shapes and names")
                            .text();
    }
    std::vector<Evidence> rows = {std::move(row)};
    add_repaired(a, b, rows);
    return rows;
  }

 private:
  std::optional<GuardScaler> scaler_, control_scaler_;
  std::uint64_t models_ = 0;
};

}  // namespace

const PairTest& tensorguard_pair_test() {
  static const GuardPair test;
  return test;
}

}  // namespace stemma
