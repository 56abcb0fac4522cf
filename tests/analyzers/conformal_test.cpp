// Is a conformal p-value what its formula says, and is it valid?
#include "analyzers/conformal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace stemma {
namespace {

TEST(Conformal, CountsWhatIsNotLower) {
  const std::vector<double> scores = {0.1, 0.5, 0.5, 0.9, missing};
  const ConformalRank rank = conformal_rank(0.5, scores);
  EXPECT_EQ(rank.references, 4U);
  EXPECT_EQ(rank.reached, 3U);  // ties count
  EXPECT_DOUBLE_EQ(rank.p(), 4.0 / 5);
  EXPECT_DOUBLE_EQ(rank.smallest_p(), 1.0 / 5);
  EXPECT_DOUBLE_EQ(conformal_rank(1, scores).p(), 1.0 / 5);
  EXPECT_DOUBLE_EQ(conformal_rank(-1, scores).p(), 1);
}

TEST(Conformal, SaysNothingWithoutReferences) {
  EXPECT_DOUBLE_EQ(conformal_rank(0.5, {}).p(), 1);
  const std::vector<double> nothing = {missing, missing};
  EXPECT_EQ(conformal_rank(0.5, nothing).references, 0U);
}

/// Of exchangeable scores p <= i / (1 + n) occurs in exactly i / (1 + n) of all cases.
TEST(Conformal, IsUniformWhereScoresAreExchangeable) {
  constexpr int n = 19, draws = 20000;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<int> times(n + 2);
  for (int i = 0; i < draws; ++i) {
    std::vector<double> others(n);
    const double shared = normal(random);  // the same candidate in all scores
    for (double& score : others) score = shared + normal(random);
    const ConformalRank rank = conformal_rank(shared + normal(random), others);
    ++times[static_cast<std::size_t>(std::lround(rank.p() * (n + 1)))];
  }
  EXPECT_EQ(times[0], 0);
  for (int i = 1; i <= n + 1; ++i)  // 1,000 each, with a standard deviation of 31
    EXPECT_NEAR(times[static_cast<std::size_t>(i)], draws / (n + 1), 150) << i;
}

TEST(Conformal, RowsHaveGradeCAndTheirNumbers) {
  Evidence headline;
  headline.method = "intrinsic_fingerprint";
  headline.statistic = "mean Pearson r of four curves";
  headline.score = 0.7;
  const Evidence row = conformal_row(headline, {.references = 4, .reached = 1}, "b");
  EXPECT_EQ(row.grade, Grade::C);
  EXPECT_EQ(row.role, "conformal");
  EXPECT_EQ(row.score, 0.7);
  EXPECT_EQ(row.background_n, 4U);
  EXPECT_DOUBLE_EQ(row.background_percentile, 75);
  EXPECT_NEAR(row.log10_p, std::log10(0.4), 1e-15);
  EXPECT_NE(row.detail_json.find("\"few_references\":true"), std::string::npos) << row.detail_json;
  EXPECT_NE(row.detail_json.find("p 0.4 of 4, smallest possible 0.2 (too few for 0.05)"), std::string::npos);
  const Evidence enough = conformal_row(headline, {.references = 19, .reached = 0}, "b");
  EXPECT_NE(enough.detail_json.find("p 0.05 of 19, smallest possible 0.05\""), std::string::npos);
  EXPECT_NE(enough.detail_json.find("\"few_references\":false"), std::string::npos);
}

}  // namespace
}  // namespace stemma
