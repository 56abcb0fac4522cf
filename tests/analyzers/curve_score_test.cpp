// Does the published score come out as published, and does the report say how little it means?
#include "analyzers/curve_score.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "analyzers/published_scores.hpp"
#include "analyzers/random_init.hpp"

namespace stemma {
namespace {

std::vector<double> wave(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(0.01, 0.05);
  std::vector<double> out(n);
  for (double& x : out) x = uniform(generator);
  return out;
}

IntrinsicCurves random_curves(std::size_t layers, unsigned seed) {
  IntrinsicCurves curves;
  for (std::size_t i = 0; i < 4; ++i) curves.curve[i] = wave(layers, 10 * seed + static_cast<unsigned>(i));
  for (std::size_t l = 0; l < layers; ++l) curves.layer.push_back(static_cast<int>(l));
  return curves;
}

TEST(Pearson, ByHand) {
  const std::vector<double> x = {1, 2, 3, 4}, y = {2, 1, 4, 3};
  EXPECT_DOUBLE_EQ(pearson(x, y).r, 0.6);
  const std::vector<double> shifted = {-5, -3, -1, 1};
  EXPECT_DOUBLE_EQ(pearson(x, shifted).r, 1);
  EXPECT_TRUE(std::isnan(pearson(x, std::vector<double>{1, 2}).r));
}

TEST(Pearson, ConstantCurveGivesZeroAndAFlag) {
  const std::vector<double> x = {1, 2, 3}, constant = {0.02, 0.02, 0.02};
  const Correlation c = pearson(x, constant);
  EXPECT_EQ(c.r, 0);
  EXPECT_TRUE(c.constant);
  EXPECT_FALSE(pearson(x, x).constant);
}

TEST(Resampled, SixToTwelveByHand) {
  const std::vector<double> six = {0, 11, 22, 33, 0, 11};
  const std::vector<double> twelve = resampled(six, 12);
  // position of point i is 5 i / 11
  const std::vector<double> expected = {0, 5, 10, 15, 20, 25, 30, 27, 12, 1, 6, 11};
  ASSERT_EQ(twelve.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(twelve[i], expected[i], 1e-12) << i;
  EXPECT_EQ(resampled(six, 6), six);
}

TEST(CurveScore, EqualsOnePearsonOfConcatenatedNormalisedCurves) {
  const IntrinsicCurves a = random_curves(17, 1), b = random_curves(17, 2);
  std::vector<double> joined_a, joined_b;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto x = normalised(a.curve[i]), y = normalised(b.curve[i]);
    joined_a.insert(joined_a.end(), x.begin(), x.end());
    joined_b.insert(joined_b.end(), y.begin(), y.end());
  }
  EXPECT_NEAR(curve_score(a, b, DepthMode::refuse).mean, pearson(joined_a, joined_b).r, 1e-12);
}

TEST(CurveScore, DepthModesAndSymmetry) {
  const IntrinsicCurves a = random_curves(12, 3), b = random_curves(20, 4);
  const CurveScore ab = curve_score(a, b, DepthMode::interp_longer),
                   ba = curve_score(b, a, DepthMode::interp_longer);
  EXPECT_EQ(ab.mean, ba.mean);
  EXPECT_TRUE(std::isfinite(ab.mean));
  EXPECT_FALSE(curve_score(a, b, DepthMode::refuse).aligned);
  EXPECT_TRUE(std::isnan(curve_score(a, b, DepthMode::refuse).mean));
  EXPECT_THROW(depth_mode_named("align"), std::invalid_argument);
}

TEST(CurveScore, AMissingCurveIsMissingNotAveragedAway) {
  IntrinsicCurves a = random_curves(9, 5), b = random_curves(9, 6);
  a.curve[1].assign(9, NAN);
  const CurveScore score = curve_score(a, b, DepthMode::interp_longer);
  EXPECT_TRUE(std::isnan(score.mean));
  EXPECT_TRUE(std::isnan(score.minimum));
  EXPECT_TRUE(std::isfinite(score.parts[0].r));
}

TEST(CurveScore, AMissingLayerDoesNotShiftItsNeighbours) {
  const IntrinsicCurves whole = random_curves(12, 7);
  IntrinsicCurves a = whole, b = whole;
  for (std::size_t i = 0; i < 4; ++i) a.curve[i][1] = b.curve[i][4] = NAN;
  const CurveScore score = curve_score(a, b, DepthMode::refuse);
  EXPECT_NEAR(score.mean, 1, 1e-12);
  EXPECT_EQ(score.layers_a, 10);
  EXPECT_EQ(score.layers_b, 10);
}

TEST(Reading, Words) {
  EXPECT_EQ(score_reading(0.98), "curves agree as in known continuations");
  EXPECT_EQ(score_reading(0.95), "inconclusive");
  EXPECT_EQ(score_reading(0.9299), "no evidence");
  EXPECT_EQ(score_reading(NAN), "");
  EXPECT_NE(curve_score_caveat().find("0.845"), std::string_view::npos);
}

// Per-layer standard deviations of 493 public transformers (PaddlePaddle/GraphNet).
class PublicCurves : public testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("STEMMA_TEST_DATA");
    const std::string root = named != nullptr ? named : STEMMA_SOURCE_DIR "/../shared/data";
    std::ifstream table(root + "/graphnet/qkvo_std.tsv");
    if (!table) GTEST_SKIP() << "no public curves at " << root << "/graphnet";
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream cells(line);
      std::string model, layers, q_shape, k_shape, role, values;
      for (std::string* cell : {&model, &layers, &q_shape, &k_shape, &role, &values})
        std::getline(cells, *cell, '\t');
      std::istringstream numbers(values);
      const std::size_t part = std::string("qkvo").find(role);
      for (double x = 0; numbers >> x;) curves_[model].curve.at(part).push_back(x);
    }
  }

  std::vector<double> scores(const std::string& prefix, std::size_t models) const {
    std::vector<const IntrinsicCurves*> chosen;
    for (const auto& [name, curves] : curves_) {
      if (name.starts_with(prefix)) chosen.push_back(&curves);
    }
    EXPECT_EQ(chosen.size(), models);
    std::vector<double> out;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t j = i + 1; j < chosen.size(); ++j) {
        out.push_back(curve_score(*chosen[i], *chosen[j], DepthMode::refuse).mean);
      }
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  static double share_from(const std::vector<double>& sorted, double threshold) {
    const auto first = std::lower_bound(sorted.begin(), sorted.end(), threshold);
    return 100.0 * static_cast<double>(sorted.end() - first) / static_cast<double>(sorted.size());
  }
  static double median(const std::vector<double>& sorted) {
    return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  }

  std::map<std::string, IntrinsicCurves> curves_;
};

TEST_F(PublicCurves, TranslatorsOfOneRecipeScoreHigh) {
  const std::vector<double> found = scores("opus-mt-tc-bi", 84);
  ASSERT_EQ(found.size(), 3486U);
  EXPECT_NEAR(median(found), 0.8451, 5e-5);
  EXPECT_NEAR(found.back(), 0.9928, 5e-5);
  EXPECT_NEAR(share_from(found, 0.90), 31.9, 0.05);
  EXPECT_NEAR(share_from(found, 0.927), 21.1, 0.05);
}

TEST_F(PublicCurves, TheShippedQuantilesAreTheirs) {
  const PublishedScores& shipped = published_scores("<8");
  const std::vector<double> found = scores("opus-mt-tc-bi", 84);
  ASSERT_EQ(found.size(), shipped.pairs);
  for (const auto& [percent, score] : shipped.quantiles) {
    const double place = percent / 100 * static_cast<double>(found.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double above = found[std::min(below + 1, found.size() - 1)];
    EXPECT_NEAR(score, std::lerp(found[below], above, place - static_cast<double>(below)), 5e-5) << percent;
  }
}

}  // namespace
}  // namespace stemma
