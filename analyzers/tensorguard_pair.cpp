// How far apart are the gradient responses of two models?
//
// The distance depends on who else is in the corpus, because every feature is standardised over it, and most
// of it on the shapes of the tensors alone: the control, the same distance between Gaussian weights of the
// same shapes, stands beside it. No null is valid for it, so it never raises a verdict.
#include "analyzers/tensorguard_pair.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "analyzers/json_text.hpp"
#include "analyzers/tensorguard_families.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

constexpr std::size_t fewest_models = 3;

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
    if (values.size() < fewest_models) return;
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
    return {row};
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
