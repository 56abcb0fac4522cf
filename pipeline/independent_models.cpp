// Names become models by the patterns of a shell; scores are asked for once and counted pair by pair.
#include "pipeline/independent_models.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "analyzers/background.hpp"
#include "analyzers/conformal.hpp"
#include "analyzers/thresholds.hpp"
#include "io/config/problems.hpp"
#include "io/config/yaml_section.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

constexpr const char* key = "compare.independent";

bool names(const std::string& pattern, const std::string& id) {
  return pattern == id || fnmatch(pattern.c_str(), id.c_str(), 0) == 0;
}

/// For each model another one that declarations join it with, or the base that it declares.
std::vector<std::string> declared_relatives(std::span<const Fingerprint> models) {
  const std::vector<std::size_t> components = declared_components(models);
  std::map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t m = 0; m < models.size(); ++m) members[components[m]].push_back(m);
  std::vector<std::string> relatives(models.size());
  for (const auto& [component, of_it] : members)
    for (const std::size_t m : of_it)
      if (of_it.size() > 1) relatives[m] = models[of_it[of_it[0] == m ? 1 : 0]].id;
  return relatives;
}

/// Could one be exchanged for the other, as far as a method sees their shapes?
bool same_shape(std::string_view method, const Fingerprint& a, const Fingerprint& b) {
  if (method == "intrinsic_fingerprint")
    return a.intrinsic && b.intrinsic && a.intrinsic->layer.size() == b.intrinsic->layer.size();
  if (!a.neurons || !b.neurons) return false;
  return std::ranges::equal(
      a.neurons->blocks, b.neurons->blocks, [](const NeuronBlock& x, const NeuronBlock& y) {
        return x.layer == y.layer && x.expert == y.expert && x.units == y.units && x.gated == y.gated;
      });
}

}  // namespace

void check_independent(std::span<const Fingerprint> models, const std::vector<std::string>& patterns) {
  std::vector<std::string> ids;
  for (const Fingerprint& model : models) ids.push_back(model.id);
  const std::vector<std::string> relatives = declared_relatives(models);
  std::vector<Problem> problems;
  const auto complain = [&](std::string message) {
    problems.push_back({.key = key, .message = std::move(message), .place = key});
  };
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (std::size_t m = 0; m < models.size(); ++m) {
      if (!names(pattern, ids[m])) continue;
      found = true;
      if (!relatives[m].empty())
        complain(
            fmt::format("{} is stated to be independent of all other models, but declarations join it "
                        "with {}. Leave it out",
                        printable(ids[m]), printable(relatives[m])));
    }
    if (found) continue;
    const auto close = nearest(pattern, ids);
    complain(fmt::format("{} names none of the {}{}", printable(pattern), counted(ids.size(), "model"),
                         close ? fmt::format(". Did you mean {}?", printable(*close)) : ""));
  }
  if (!problems.empty()) throw ConfigProblems(std::move(problems));
}

std::vector<std::size_t> independent_models(std::span<const Fingerprint> models,
                                            const std::vector<std::string>& patterns) {
  const std::vector<std::string> relatives = declared_relatives(models);
  std::vector<std::size_t> found;
  for (std::size_t m = 0; m < models.size(); ++m) {
    const bool stated = models[m].use == Use::background ||
                        std::ranges::any_of(patterns, [&](const auto& p) { return names(p, models[m].id); });
    if (stated && relatives[m].empty()) found.push_back(m);
  }
  return found;
}

ReferenceScores::ReferenceScores(std::span<const Fingerprint> models,
                                 std::vector<const Fingerprint*> references, const std::vector<bool>& asked,
                                 std::span<const std::string> methods, const ScoreOf& score_of)
    : models_(models), references_(std::move(references)) {
  for (const std::string& method : methods)
    for (std::size_t m = 0; m < models_.size(); ++m) {
      if (!asked[m] || holds(models_[m])) continue;
      std::vector<double>& scores = scores_[{method, m}];
      for (const Fingerprint* reference : references_) scores.push_back(score_of(method, *reference, m));
    }
}

bool ReferenceScores::holds(const Fingerprint& model) const {
  return std::ranges::any_of(references_, [&](const Fingerprint* r) { return r->id == model.id; });
}

std::vector<double> ReferenceScores::beside(std::string_view method, const Fingerprint& stand_in,
                                            std::size_t candidate) const {
  std::vector<double> scores;
  const auto all = scores_.find(std::pair(std::string(method), candidate));
  if (all == scores_.end()) return scores;
  for (std::size_t r = 0; r < references_.size(); ++r)
    if (same_shape(method, *references_[r], stand_in)) scores.push_back(all->second[r]);
  return scores;
}

std::vector<Evidence> ReferenceScores::rows(const Pair& pair) const {
  std::vector<Evidence> rows;
  if (references_.empty() || holds(models_[pair.a]) || holds(models_[pair.b])) return rows;
  for (const Evidence& headline : pair.evidence) {
    if (!headline.role.empty() || std::isnan(headline.score)) continue;
    struct Side {
      std::size_t candidate;
      ConformalRank rank;
      bool enough() const { return rank.references >= thresholds::fewest_references; }
    };
    std::optional<Side> chosen;
    for (const auto& [stand_in, candidate] : {std::pair(pair.a, pair.b), std::pair(pair.b, pair.a)}) {
      const Side side{candidate,
                      conformal_rank(headline.score, beside(headline.method, models_[stand_in], candidate))};
      if (side.rank.references == 0) continue;
      const bool better =
          !chosen || (side.enough() != chosen->enough() ? side.enough() : side.rank.p() > chosen->rank.p());
      if (better) chosen = side;
    }
    if (chosen) rows.push_back(conformal_row(headline, chosen->rank, models_[chosen->candidate].id));
  }
  return rows;
}

}  // namespace stemma
