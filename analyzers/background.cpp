// How high do unrelated models of the same depth score?
#include "analyzers/background.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

#include "analyzers/json_text.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr std::array<std::string_view, 5> strata = {"<8", "8-15", "16-23", "24-35", "36+"};

/// Decoder layers as the curves count them: the depth that scores depend on.
int depth_of(const Fingerprint& model) {
  return model.intrinsic ? static_cast<int>(model.intrinsic->layer.size()) : model.layers;
}

std::string_view stratum_of(const Pair& pair, std::span<const Fingerprint> models) {
  return depth_stratum(std::min(depth_of(models[pair.a]), depth_of(models[pair.b])));
}

bool is_headline(const Evidence& row) { return row.method == "intrinsic_fingerprint" && row.role.empty(); }

/// Names every stratum after its population and its depth, and puts its scores in order.
void finish(Background& background, std::string_view population) {
  for (auto& [name, stratum] : background.strata) {
    stratum.population = fmt::format("{}, {} layers", population, name);
    std::ranges::sort(stratum.scores, {}, &Background::Score::value);
  }
}

}  // namespace

std::string_view depth_stratum(int layers) {
  if (layers < 8) return strata[0];
  if (layers < 16) return strata[1];
  if (layers < 24) return strata[2];
  if (layers < 36) return strata[3];
  return strata[4];
}

namespace {

/// Models joined into families, step by step.
class Families {
 public:
  explicit Families(std::span<const Fingerprint> models) {
    std::size_t nodes = 0;
    for (const Fingerprint& model : models) node_.emplace(model.id, nodes++);
    for (const Fingerprint& model : models)
      for (const Claim& claim : model.declared) nodes += node_.emplace(claim.base, nodes).second;
    parent_.resize(nodes);
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
    for (std::size_t m = 0; m < models.size(); ++m) join(m, node_.at(models[m].id));
    for (const Fingerprint& model : models)
      for (const Claim& claim : model.declared) join(node_.at(model.id), node_.at(claim.base));
  }
  /// Nodes of models are numbered as the models.
  void join(std::size_t a, std::size_t b) { parent_[root(a)] = root(b); }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

 private:
  std::unordered_map<std::string_view, std::size_t> node_;
  std::vector<std::size_t> parent_;
};

bool is_related(const Pair& pair) { return pair.relation <= Relation::partial_lineage; }

}  // namespace

std::vector<std::size_t> declared_components(std::span<const Fingerprint> models) {
  Families families(models);
  std::vector<std::size_t> components;
  for (std::size_t i = 0; i < models.size(); ++i) components.push_back(families.root(i));
  return components;
}

Background corpus_background(std::span<const Fingerprint> models, std::span<const Pair> pairs) {
  Families families(models);
  for (const Pair& pair : pairs)
    if (is_related(pair)) families.join(pair.a, pair.b);
  Background background;
  for (const Pair& pair : pairs) {
    if (families.root(pair.a) == families.root(pair.b)) continue;
    if (!std::isfinite(pair.curve_score)) continue;
    background.strata[std::string(stratum_of(pair, models))].scores.push_back(
        {pair.curve_score, pair.a, pair.b});
  }
  finish(background, "pairs of this corpus that neither declarations nor found copies join");
  return background;
}

Background table_background(const std::string& population,
                            const std::map<std::string, std::vector<double>>& values) {
  Background background;
  for (const auto& [stratum, scores] : values) {
    if (std::find(strata.begin(), strata.end(), stratum) == strata.end()) {
      throw std::invalid_argument(
          fmt::format("\"{}\" is no depth stratum; they are {}", stratum, fmt::join(strata, ", ")));
    }
    for (const double score : scores) {
      if (!(std::abs(score) <= 1)) throw std::invalid_argument(fmt::format("{} is no curve score", score));
      background.strata[stratum].scores.push_back({score, -1, -1});
    }
  }
  finish(background, population);
  return background;
}

Background filled_from_published(Background background) {
  for (const std::string_view name : strata) {
    Background::Stratum& stratum = background.strata[std::string(name)];
    if (stratum.scores.size() >= thresholds::background_pairs) continue;
    const PublishedScores& published = published_scores(name);
    stratum = {.population = std::string(published.population), .scores = {}, .published = &published};
  }
  return background;
}

Background published_background() { return filled_from_published({}); }

namespace {

Rank rank_among(const Background::Stratum& stratum, double score, std::int64_t a, std::int64_t b) {
  const std::vector<Background::Score>& scores = stratum.scores;
  const auto first_reached = std::ranges::lower_bound(scores, score, {}, &Background::Score::value);
  const auto below = static_cast<std::uint64_t>(first_reached - scores.begin());
  auto reached = static_cast<std::uint64_t>(scores.end() - first_reached);
  for (auto tie = first_reached; tie != scores.end() && tie->value == score; ++tie) {
    if (tie->a >= 0 && tie->a == a && tie->b == b) --reached;  // the pair itself
  }
  Rank rank;
  rank.n = below + reached;
  rank.population = stratum.population;
  if (rank.n == 0) return rank;
  rank.percentile = 100.0 * static_cast<double>(below) / static_cast<double>(rank.n);
  rank.conformal_p = (1.0 + static_cast<double>(reached)) / (1.0 + static_cast<double>(rank.n));
  rank.basis = "counted";
  return rank;
}

}  // namespace

Rank rank_among(const PublishedScores& published, double score) {
  const auto known = published.quantiles;
  const auto n = static_cast<double>(published.pairs);
  Rank rank;
  rank.n = published.pairs;
  rank.population = published.population;
  if (std::isnan(score)) return rank;
  if (score < known.front().score && known.front().percent > 0) {
    rank.basis = fmt::format("below {:g} %", known.front().percent);
    return rank;
  }
  // The largest score is one of the n, so no more than n - 1 are lower.
  const auto percent_at = [n](const auto& quantile) { return std::min(quantile.percent, 100 * (n - 1) / n); };
  const auto upper = std::ranges::lower_bound(known, score, {}, &PublishedScores::Quantile::score);
  if (upper == known.end()) {
    rank.percentile = 100;
    rank.basis = "above the largest";
  } else if (upper == known.begin()) {
    rank.percentile = upper->percent;
    rank.basis = score < upper->score ? "below the smallest" : "between quantiles";
  } else {
    const auto& lower = *std::prev(upper);
    const double way = (score - lower.score) / (upper->score - lower.score);
    rank.percentile = std::lerp(percent_at(lower), percent_at(*upper), way);
    rank.basis = "between quantiles";
  }
  rank.conformal_p = (1 + n * (1 - rank.percentile / 100)) / (1 + n);
  return rank;
}

Rank rank_of(const Background& background, std::string_view stratum, double score, std::int64_t a,
             std::int64_t b) {
  const auto found = background.strata.find(std::string(stratum));
  if (found == background.strata.end() || std::isnan(score)) return {};
  return found->second.published ? rank_among(*found->second.published, score)
                                 : rank_among(found->second, score, a, b);
}

Rank rank_of(const Background& background, std::span<const Fingerprint> models, const Pair& pair) {
  return rank_of(background, stratum_of(pair, models), pair.curve_score, pair.a, pair.b);
}

void rank_in_background(const Background& background, std::span<const Fingerprint> models, Pair& pair) {
  for (Evidence& row : pair.evidence) {
    if (!is_headline(row) || std::isnan(row.score)) continue;
    const Rank rank = rank_of(background, models, pair);
    row.background = rank.population;
    row.background_n = rank.n;
    row.background_percentile = rank.percentile;
    row.detail_json = JsonObject(row.detail_json)
                          .add("percentile_basis", rank.basis)
                          .add("conformal_p", rank.conformal_p)
                          .text();
    return;
  }
}

}  // namespace stemma
