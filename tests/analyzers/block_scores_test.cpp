// Do two matchings of blocks agree with scores that were made by hand, and are doubled neurons counted?
#include "analyzers/block_scores.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace stemma {
namespace {

TEST(TwoMatchings, AgreeWhereBothPreferTheSame) {
  // Rows 0 and 1 agree on columns 1 and 0; row 2 is matched by the first scores alone.
  const std::vector<float> first = {0.1F, 0.9F, 0.0F, 0.8F, 0.2F, 0.1F, 0.0F, 0.1F, 0.7F};
  const std::vector<float> second = {0.0F, 0.6F, 0.1F, 0.5F, 0.1F, 0.3F, 0.2F, 0.4F, 0.1F};
  const TwoMatchings pair({first, 3, 3, 3}, {second, 3, 3, 3});
  EXPECT_EQ(pair.agreement().same, 2U);
  EXPECT_EQ(pair.agreement().both, 2U);
  EXPECT_NEAR(pair.likeness(), (0.9 + 0.8) / 2, 1e-7);
  const std::vector<float> other = {0.6F, 0.0F, 0.0F, 0.0F, 0.6F, 0.0F, 0.0F, 0.0F, 0.1F};
  EXPECT_EQ(TwoMatchings({first, 3, 3, 3}, {other, 3, 3, 3}).agreement().same, 1U);
  EXPECT_TRUE(std::isnan(TwoMatchings({first, 2, 2, 3}, {other, 2, 2, 3}).likeness()));
}

NeuronBlock block_of(const std::vector<std::vector<int>>& first,
                     const std::vector<std::vector<int>>& second) {
  NeuronBlock out;
  for (const auto& row : first) out.first.insert(out.first.end(), row.begin(), row.end());
  for (const auto& row : second) out.second.insert(out.second.end(), row.begin(), row.end());
  out.unit.resize(first.size());
  return out;
}

TEST(BlockScores, AreCorrelationsOfBothKinds) {
  const NeuronBlock a = block_of({{1, 2, 3, 4}, {4, 1, 3, 2}}, {{1, 0, 0, 1}, {1, 0, 1, 0}});
  const NeuronBlock b = block_of({{2, 4, 6, 8}}, {{-1, 0, 0, -1}});
  const std::vector<std::uint32_t> all = {0, 1, 2, 3};
  const NeuronAnswers x = answers_of(a, 4, all, 2), y = answers_of(b, 4, all, 2);
  const BlockScores gated(x, y, true), plain(x, y, false);
  EXPECT_NEAR(gated.first().row(0)[0], 1, 1e-6);
  EXPECT_NEAR(gated.first().row(1)[0], -0.4, 1e-6);  // of the ranks 1 to 4 and 4, 1, 3, 2
  EXPECT_NEAR(gated.second().row(0)[0], 1, 1e-6);
  EXPECT_NEAR(plain.second().row(0)[0], -1, 1e-6);
  EXPECT_EQ(gated.by_both(), (std::vector<std::int32_t>{0, -1}));
  EXPECT_EQ(answers_of(a, 4, all, 1).rows(), 1U);
}

TEST(BlockScores, CountsNeuronsThatStandTwice) {
  const NeuronBlock block = block_of({{1, 2, 3, 5}, {2, 4, 6, 10}, {5, 1, 2, 3}, {1, 2, 3, 5}},
                                     {{1, 0, 2, 0}, {1, 0, 2, 0}, {1, 0, 2, 0}, {5, 1, 0, 9}});
  const std::vector<std::uint32_t> all = {0, 1, 2, 3};
  const NeuronAnswers answers = answers_of(block, 4, all, 4);
  // 0 and 1 are one in both kinds; 2 shares only the second, 3 only the first.
  EXPECT_EQ(BlockScores(answers, answers, true).doubled(0.95F), 2U);
  EXPECT_EQ(BlockScores(answers, answers, true).doubled(-2.0F), 4U);
}

}  // namespace
}  // namespace stemma
