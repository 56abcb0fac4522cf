// Do the curves of two models run alike?
//
// The published score is the mean of four correlations of curves with five to ten degrees of freedom whatever
// the depth, so no p-value over layers is valid; only a background of unrelated pairs of the same depth says
// what is usual. The twin score beside it is what no re-scaling inside a layer can forge. Further curves are
// reported one by one and never averaged in: biases share spikes across a recipe, norm weights resemble each
// other always.
#include "analyzers/intrinsic_pair.hpp"

#include <charconv>
#include <stdexcept>

#include "analyzers/curve_score.hpp"
#include "analyzers/json_text.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

struct Options {
  DepthMode depth = DepthMode::interp_longer;
  int min_layers = thresholds::min_layers;
};

Options read(const std::map<std::string, std::string>& texts) {
  Options options;
  for (const auto& [name, text] : texts) {
    if (name == "depth") {
      options.depth = depth_mode_named(text);
    } else if (name == "min_layers") {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.min_layers);
      const bool number = error == std::errc() && end == text.data() + text.size();
      if (!number || options.min_layers < 2 || options.min_layers > 1000) {
        throw std::invalid_argument("min_layers is \"" + text + "\"; it must be a number from 2 to 1000");
      }
    } else {
      throw std::invalid_argument("intrinsic_fingerprint has no option \"" + name + "\"");
    }
  }
  return options;
}

Evidence row(std::string statistic, std::string role, double score) {
  Evidence out;
  out.method = "intrinsic_fingerprint";
  out.statistic = std::move(statistic);
  out.null = "none valid";
  out.role = std::move(role);
  out.score = score;
  return out;
}

Evidence curve_row(std::string statistic, std::string role, const Correlation& correlation) {
  Evidence out = row(std::move(statistic), std::move(role), correlation.r);
  if (correlation.constant) out.detail_json = JsonObject().add("constant_curve", true).text();
  return out;
}

Evidence headline(const CurveScore& score, const TwinScore& twin, const Options& options) {
  Evidence out = row("mean Pearson r of four curves", "", score.aligned ? score.mean : missing);
  out.control = twin.mean;
  JsonObject detail;
  for (std::size_t i = 0; i < qkvo_parts.size(); ++i) {
    detail.add(std::string("r_") + qkvo_parts[i], score.parts[i].r);
    if (score.parts[i].constant) detail.add(std::string("constant_") + qkvo_parts[i], true);
  }
  detail.add("min_r", score.minimum);
  for (std::size_t i = 0; i < twin_parts.size(); ++i)
    detail.add(std::string("twin_") + twin_parts[i], twin.parts[i].r);
  detail.add("twin_curves_used", twin.used)
      .add("depth", options.depth == DepthMode::refuse ? "refuse" : "interp_longer")
      .add("layers_a", score.layers_a)
      .add("layers_b", score.layers_b)
      .add("min_layers", options.min_layers)
      .add("reading", score_reading(out.score))
      .add("caveat", curve_score_caveat());
  if (twin.used == 0)
    detail.add("twin_note", "no twin curve exists in both models (heads unknown, or not asked for)");
  out.detail_json = detail.text();
  if (!score.aligned) {
    out.abstain = "unaligned";
  } else if (out.score != out.score) {
    out.abstain = "unsupported";
  } else if (std::min(score.layers_a, score.layers_b) < options.min_layers) {
    out.abstain = "too_few_layers";
  }
  return out;
}

class IntrinsicPair : public PairTest {
 public:
  std::string_view name() const override { return "intrinsic_fingerprint"; }
  std::vector<std::string_view> needs() const override { return {"histogram", "intrinsic_fingerprint"}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>& texts) const override {
    const Options options = read(texts);
    if (!a.intrinsic || !b.intrinsic) return {abstention("unsupported", "a model has no curves")};
    for (const Fingerprint* model : {&a, &b}) {
      if (model->intrinsic->random_init)
        return {abstention("random_init", model->intrinsic->random_init_reason)};
    }
    const CurveScore score = curve_score(*a.intrinsic, *b.intrinsic, options.depth);
    const TwinScore twin = twin_score(*a.intrinsic, *b.intrinsic, options.depth);
    std::vector<Evidence> rows = {headline(score, twin, options)};
    for (std::size_t i = 0; i < qkvo_parts.size(); ++i) {
      rows.push_back(curve_row("Pearson r of one curve", qkvo_parts[i], score.parts[i]));
    }
    for (const auto& [curve, values] : a.intrinsic->further) {
      const auto other = b.intrinsic->further.find(curve);
      if (other == b.intrinsic->further.end()) continue;
      const Correlation r = compare_curves(values, other->second, options.depth);
      rows.push_back(curve_row("Pearson r of a further curve", curve, r));
    }
    for (std::size_t i = 0; i < twin_parts.size(); ++i) {
      if (twin.parts[i].r != twin.parts[i].r) continue;
      rows.push_back(
          curve_row("Pearson r of a twin curve", std::string("twin.") + twin_parts[i], twin.parts[i]));
    }
    return rows;
  }

 private:
  static Evidence abstention(const char* reason, std::string_view words) {
    Evidence out = row("mean Pearson r of four curves", "", missing);
    out.abstain = reason;
    out.detail_json = JsonObject().add("reason", words).text();
    return out;
  }
};

}  // namespace

const PairTest& intrinsic_pair_test() {
  static const IntrinsicPair test;
  return test;
}

}  // namespace stemma
