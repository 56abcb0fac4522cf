// Is a score ranked among unrelated pairs of its own depth, and never against itself?
#include "analyzers/background.hpp"

#include <gtest/gtest.h>

#include <cmath>

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
  EXPECT_EQ(background.strata.at("8-15").size(), 4U);  // also (4, 5), by its shallower model

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
  ASSERT_EQ(background.strata.at("8-15").size(), 3U);
  EXPECT_EQ(background.strata.at("8-15").back().value, 0.4);
}

TEST(Background, FoundCopiesAreNoNull) {
  const std::vector<Fingerprint> models = {model("a", 12), model("b", 12)};
  std::vector<Pair> pairs = {scored(0, 1, 1)};
  pairs[0].relation = Relation::exact_copy;
  EXPECT_TRUE(corpus_background(models, pairs).strata.empty());
}

}  // namespace
}  // namespace stemma
