// Is a score ranked among unrelated pairs of its own depth, and never against itself?
#include "analyzers/background.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

Fingerprint model(const std::string& id, int layers, std::vector<std::string> bases = {}) {
  Fingerprint out;
  out.id = id;
  out.layers = layers;
  for (std::string& base : bases) out.declared.push_back({std::move(base), "finetune", "test"});
  return out;
}

Pair scored(std::uint32_t a, std::uint32_t b, double score) {
  Pair pair;
  pair.a = a;
  pair.b = b;
  Evidence row;
  row.method = "intrinsic_fingerprint";
  row.score = score;
  pair.evidence = {row};
  pair.curve_score = score;
  return pair;
}

TEST(Background, Strata) {
  EXPECT_EQ(depth_stratum(7), "<8");
  EXPECT_EQ(depth_stratum(8), "8-15");
  EXPECT_EQ(depth_stratum(23), "16-23");
  EXPECT_EQ(depth_stratum(35), "24-35");
  EXPECT_EQ(depth_stratum(80), "36+");
}

TEST(Background, TableGivesPercentileAndConformalP) {
  const Background table = table_background("public pairs", {{"8-15", {0.9, 0.1, 0.5, 0.7}}});
  const Rank rank = rank_of(table, "8-15", 0.7);
  EXPECT_EQ(rank.n, 4U);
  EXPECT_EQ(rank.percentile, 50);
  EXPECT_EQ(rank.conformal_p, 3.0 / 5);
  EXPECT_EQ(rank_of(table, "8-15", 0.95).conformal_p, 1.0 / 5);
  EXPECT_TRUE(std::isnan(rank_of(table, "36+", 0.7).percentile));
  EXPECT_THROW(table_background("x", {{"9-10", {0.1}}}), std::invalid_argument);
  EXPECT_THROW(table_background("x", {{"<8", {1.5}}}), std::invalid_argument);
}

TEST(Background, CorpusLeavesOutDeclaredChainsAndThePairItself) {
  // a <- b <- c by declaration; d claims an absent base that e claims too; f stands alone
  const std::vector<Fingerprint> models = {model("a", 12),           model("b", 12, {"a"}),
                                           model("c", 9, {"b"}),     model("d", 12, {"gone"}),
                                           model("e", 30, {"gone"}), model("f", 12)};
  std::vector<Pair> pairs = {scored(0, 1, 0.99), scored(0, 2, 0.98), scored(0, 3, 0.2), scored(0, 5, 0.4),
                             scored(3, 4, 0.97), scored(2, 5, 0.6),  scored(4, 5, 0.1)};
  const Background background = corpus_background(models, pairs);
  ASSERT_EQ(background.strata.size(), 1U);
  EXPECT_EQ(background.strata.at("8-15").scores.size(), 4U);  // also (4, 5), by its shallower model

  for (Pair& pair : pairs) rank_in_background(background, models, pair);
  const Evidence& related = pairs[0].evidence[0];
  EXPECT_EQ(related.background_n, 4U);
  EXPECT_EQ(related.background_percentile, 100);
  EXPECT_NE(related.detail_json.find("\"conformal_p\":0.2"), std::string::npos);
  EXPECT_EQ(related.grade, Grade::N);
  EXPECT_TRUE(std::isnan(related.log10_p));
  EXPECT_NE(related.background.find("8-15 layers"), std::string::npos);
  const Evidence& itself = pairs[3].evidence[0];
  EXPECT_EQ(itself.background_n, 3U);
  EXPECT_NEAR(itself.background_percentile, 200.0 / 3, 1e-12);
}

TEST(Background, ACopyOfARelativeIsNoStranger) {
  // b declares a; c is a copy of b that declares nothing; d stands alone.
  const std::vector<Fingerprint> models = {model("a", 12), model("b", 12, {"a"}), model("c", 12),
                                           model("d", 12)};
  std::vector<Pair> pairs = {scored(0, 1, 0.99), scored(0, 2, 0.98), scored(0, 3, 0.2),
                             scored(1, 2, 1),    scored(1, 3, 0.3),  scored(2, 3, 0.4)};
  pairs[3].relation = Relation::exact_copy;
  const Background background = corpus_background(models, pairs);
  ASSERT_EQ(background.strata.at("8-15").scores.size(), 3U);
  EXPECT_EQ(background.strata.at("8-15").scores.back().value, 0.4);
}

TEST(Background, FoundCopiesAreNoNull) {
  const std::vector<Fingerprint> models = {model("a", 12), model("b", 12)};
  std::vector<Pair> pairs = {scored(0, 1, 1)};
  pairs[0].relation = Relation::exact_copy;
  EXPECT_TRUE(corpus_background(models, pairs).strata.empty());
}

TEST(Published, RanksAtBetweenAboveAndBelowTheQuantiles) {
  const PublishedScores& all = published_scores("24-35");
  EXPECT_EQ(all.pairs, 8698U);
  for (const auto& quantile : all.quantiles) {
    const Rank rank = rank_among(all, quantile.score);
    EXPECT_EQ(rank.basis, "between quantiles");
    EXPECT_EQ(rank.n, 8698U);
    EXPECT_EQ(rank.population, all.population);
    EXPECT_NEAR(rank.percentile, std::min(quantile.percent, 100 * 8697.0 / 8698), 1e-12);
  }
  EXPECT_NEAR(rank_among(all, (0.438 + 0.737) / 2).percentile, 62.5, 1e-12);
  EXPECT_NEAR(rank_among(all, 0.438).conformal_p, (1 + 8698.0 / 2) / 8699, 1e-12);

  // One pair reaches the largest score, none goes beyond it.
  const Rank largest = rank_among(all, 0.9278);
  EXPECT_NEAR(largest.percentile, 100 * 8697.0 / 8698, 1e-12);
  EXPECT_NEAR(largest.conformal_p, 2.0 / 8699, 1e-12);
  const Rank beyond = rank_among(all, 0.9279);
  EXPECT_EQ(beyond.percentile, 100);
  EXPECT_EQ(beyond.conformal_p, 1.0 / 8699);
  EXPECT_EQ(beyond.basis, "above the largest");

  const Rank low = rank_among(all, 0.2399);
  EXPECT_EQ(low.basis, "below 25 %");
  EXPECT_EQ(low.n, 8698U);
  EXPECT_TRUE(std::isnan(low.percentile) && std::isnan(low.conformal_p));
  EXPECT_EQ(rank_among(all, NAN).basis, "");
}

TEST(Published, WhereTheSmallestScoreIsKnownNothingIsLowerThanLowerScores) {
  const PublishedScores& shallow = published_scores("<8");
  EXPECT_EQ(shallow.quantiles.front().percent, 0);
  const Rank low = rank_among(shallow, -1);
  EXPECT_EQ(low.percentile, 0);
  EXPECT_EQ(low.conformal_p, 1);
  EXPECT_EQ(low.basis, "below the smallest");
  EXPECT_EQ(rank_among(shallow, shallow.quantiles.front().score).percentile, 0);
}

TEST(Published, PercentilesNeverFallAsScoresRise) {
  for (const char* stratum : {"<8", "8-15", "16-23", "24-35", "36+"}) {
    const PublishedScores& published = published_scores(stratum);
    double percentile = 0, p = 1;
    for (double score = published.quantiles.front().score; score <= 1; score += 0.0005) {
      const Rank rank = rank_among(published, score);
      EXPECT_GE(rank.percentile, percentile) << stratum << " " << score;
      EXPECT_LE(rank.conformal_p, p) << stratum << " " << score;
      percentile = rank.percentile;
      p = rank.conformal_p;
    }
    EXPECT_EQ(percentile, 100);
  }
}

TEST(Published, ACorpusWithTooFewUnrelatedPairsFallsBack) {
  const auto filled = [](std::size_t pairs) {
    return filled_from_published(table_background("mine", {{"8-15", std::vector<double>(pairs, 0.5)}}));
  };
  const Background poor = filled(thresholds::background_pairs - 1);
  ASSERT_EQ(poor.strata.size(), 5U);
  const Rank fallen = rank_of(poor, "8-15", 0.99);
  EXPECT_EQ(fallen.n, 8698U);
  EXPECT_NE(fallen.population.find("137 public models"), std::string::npos);
  EXPECT_TRUE(poor.strata.at("8-15").scores.empty());

  const Background rich = filled(thresholds::background_pairs);
  const Rank own = rank_of(rich, "8-15", 0.99);
  EXPECT_EQ(own.n, thresholds::background_pairs);
  EXPECT_EQ(own.population, "mine, 8-15 layers");
  EXPECT_EQ(own.basis, "counted");
  EXPECT_EQ(rank_of(rich, "<8", 0.99).n, 3486U) << "each stratum by itself";
}

TEST(Published, ThePairItselfLeavesEnoughForFivePercent) {
  EXPECT_EQ(1.0 / (1 + (thresholds::background_pairs - 1)), 0.05);
}

TEST(Published, TwoModelsAloneHaveAPercentile) {
  const std::vector<Fingerprint> models = {model("a", 12), model("b", 12, {"a"})};
  std::vector<Pair> pairs = {scored(0, 1, 0.95)};
  rank_in_background(filled_from_published(corpus_background(models, pairs)), models, pairs[0]);
  const Evidence& row = pairs[0].evidence[0];
  EXPECT_EQ(row.background, published_scores("8-15").population);
  EXPECT_EQ(row.background_n, 8698U);
  EXPECT_EQ(row.background_percentile, 100);
  EXPECT_NE(row.detail_json.find("\"percentile_basis\":\"above the largest\""), std::string::npos);
  EXPECT_EQ(row.grade, Grade::N);
}

}  // namespace
}  // namespace stemma
