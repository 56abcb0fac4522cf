// Are correlations those of textbooks, and are the anchors of two models joined as they should be?
#include "analyzers/neuron_scores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "neuron_toy.hpp"

namespace stemma {
namespace {

using neuron_toy::Random;
using testing::ElementsAre;

std::vector<std::int8_t> random_answers(std::size_t n, unsigned seed) {
  Random random(seed);
  std::vector<std::int8_t> out(n);
  for (auto& x : out) x = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
  return out;
}

/// Pearson's correlation in two passes.
double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n,
               my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    xx += (x[i] - mx) * (x[i] - mx), yy += (y[i] - my) * (y[i] - my), xy += (x[i] - mx) * (y[i] - my);
  return xy / std::sqrt(xx * yy);
}

std::vector<double> picked(const std::vector<std::int8_t>& all, std::size_t row, std::size_t stride,
                           const std::vector<std::uint32_t>& columns) {
  std::vector<double> out;
  for (const std::uint32_t c : columns) out.push_back(all[row * stride + c]);
  return out;
}

TEST(Correlations, AreThoseOfTheSharedColumns) {
  const std::size_t rows_a = 21, rows_b = 13, stride_a = 192, stride_b = 100;
  const auto a = random_answers(rows_a * stride_a, 1), b = random_answers(rows_b * stride_b, 2);
  Random random(3);
  for (const std::uint32_t n : {32U, 57U, 100U}) {
    const auto of_a = neuron_toy::places(n, stride_a, random), of_b = neuron_toy::places(n, stride_b, random);
    const AnswerRows x(a, stride_a, of_a, 1000), y(b, stride_b, of_b, 1000);
    ASSERT_EQ(x.rows(), rows_a);
    const auto found = correlations(x, y, false), free = correlations(x, y, true);
    for (std::size_t i = 0; i < rows_a; ++i)
      for (std::size_t j = 0; j < rows_b; ++j) {
        const double expected = pearson(picked(a, i, stride_a, of_a), picked(b, j, stride_b, of_b));
        EXPECT_NEAR(found[i * rows_b + j], expected, 1e-6);
        EXPECT_EQ(free[i * rows_b + j], std::abs(found[i * rows_b + j]));
      }
    const auto turned = correlations(y, x, false);
    for (std::size_t i = 0; i < rows_a; ++i)
      for (std::size_t j = 0; j < rows_b; ++j) EXPECT_EQ(turned[j * rows_a + i], found[i * rows_b + j]);
  }
}

TEST(Correlations, OfTheLargestNumbersAreExact) {
  // 192 products of 127 x 127 with the means far from 0.
  std::vector<std::int8_t> a(192, 127), b(192, -127);
  for (std::size_t i = 0; i < 192; i += 2) a[i] = 126, b[i] = -126;
  std::vector<std::uint32_t> all(192);
  std::iota(all.begin(), all.end(), 0U);
  const AnswerRows x(a, 192, all, 1), y(b, 192, all, 1);
  EXPECT_EQ(correlations(x, y, false).front(), -1.0F);
  EXPECT_EQ(correlations(x, y, true).front(), 1.0F);
}

TEST(Correlations, ConstantRowsAreBelowEverything) {
  std::vector<std::int8_t> a = random_answers(3 * 40, 4);
  for (std::size_t t = 0; t < 40; ++t) a[40 + t] = 17;
  std::vector<std::uint32_t> all(40);
  std::iota(all.begin(), all.end(), 0U);
  const AnswerRows x(a, 40, all, 3);
  EXPECT_EQ(x.scale(1), 0);
  for (const bool sign_free : {false, true}) {
    const auto found = correlations(x, x, sign_free);
    for (const std::size_t i : {1, 3, 4, 5, 7}) EXPECT_EQ(found[i], -2) << i;
    EXPECT_FLOAT_EQ(found[0], 1);
    EXPECT_GE(found[2], -1);
  }
}

TEST(AnswerRows, TakeTheFirstOfAllRows) {
  const auto a = random_answers(10 * 40, 5);
  const std::vector<std::uint32_t> columns = {39, 0, 7};
  const AnswerRows rows(a, 40, columns, 4);
  EXPECT_EQ(rows.rows(), 4U);
  EXPECT_EQ(rows.values().size(), 12U);
  EXPECT_EQ(rows.values()[3], a[40 + 39]);
  EXPECT_EQ(rows.sum(1), a[40 + 39] + a[40] + a[40 + 7]);
  EXPECT_EQ(AnswerRows({}, 0, {}, 4).rows(), 0U);
}

/// One neuron, all of whose answers are 1.
NeuronSketch with_keys(std::vector<std::uint64_t> by_string, const std::vector<std::uint64_t>& by_row) {
  NeuronSketch out;
  out.by_string = static_cast<std::uint32_t>(by_string.size());
  out.keys = std::move(by_string);
  out.keys.insert(out.keys.end(), by_row.begin(), by_row.end());
  NeuronBlock block;
  block.unit = {0};
  block.first.assign(out.keys.size(), 1);
  block.second.assign(out.keys.size(), 1);
  out.blocks = {block};
  return out;
}

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t count, std::uint64_t step = 1) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(first + i * step);
  return out;
}

TEST(SharedAnchors, JoinTwoAscendingLists) {
  const NeuronSketch a = with_keys(range(0, 128), range(5000, 64)),
                     b = with_keys(range(3, 100, 3), range(5000, 64));
  for (const bool turned : {false, true}) {
    const SharedAnchors shared = turned ? shared_anchors(b, a) : shared_anchors(a, b);
    const auto &of_a = turned ? shared.of_b : shared.of_a, &of_b = turned ? shared.of_a : shared.of_b;
    ASSERT_EQ(shared.size(), 42U);
    EXPECT_FALSE(shared.by_row);
    for (std::size_t i = 0; i < 42; ++i) {
      EXPECT_EQ(of_b[i], i);
      EXPECT_EQ(a.keys[of_a[i]], b.keys[of_b[i]]);
    }
  }
}

TEST(SharedAnchors, ByRowOnlyWhereAVocabularyIsUnknown) {
  const auto rows = range(5000, 64);
  const NeuronSketch known = with_keys(range(0, 128), rows), stranger = with_keys(range(1000, 128), rows),
                     unknown = with_keys({}, range(5000, 128));
  EXPECT_EQ(shared_anchors(known, stranger).size(), 0U) << "both vocabularies are known and differ";
  for (const bool turned : {false, true}) {
    const SharedAnchors shared = turned ? shared_anchors(unknown, known) : shared_anchors(known, unknown);
    EXPECT_TRUE(shared.by_row);
    ASSERT_EQ(shared.size(), 64U);
    EXPECT_EQ((turned ? shared.of_b : shared.of_a).front(), 128U);
    EXPECT_EQ((turned ? shared.of_a : shared.of_b).front(), 0U);
  }
  EXPECT_EQ(shared_anchors(unknown, unknown).size(), 128U);
  // Few strings in common are too few, whatever the rows say.
  const SharedAnchors few = shared_anchors(known, with_keys(range(0, 31), rows));
  EXPECT_EQ(few.size(), 31U);
  EXPECT_FALSE(few.by_row);
  EXPECT_EQ(shared_anchors(known, with_keys(range(0, 32), rows)).size(), 32U);
}

TEST(SharedAnchors, WithoutThoseThatSayNothing) {
  NeuronSketch a = with_keys(range(0, 64), {}), b = a;
  a.blocks[0].first[5] = no_reading;
  b.blocks[0].second[9] = no_reading;
  const SharedAnchors shared = shared_anchors(a, b);
  EXPECT_EQ(shared.size(), 62U);
  for (const std::uint32_t t : shared.of_a) EXPECT_TRUE(t != 5 && t != 9);
}

TEST(AttentionCorrelation, KnowsNothingOfMeansOfRowsAndColumns) {
  NeuronSketch a = with_keys(range(0, 64), {});
  neuron_toy::add_attention(a, 1, 7, 8, 0);
  NeuronSketch b = a;
  SharedAnchors shared = shared_anchors(a, b);
  EXPECT_DOUBLE_EQ(attention_correlation(a, a.attention[0], b, b.attention[0], shared), 1);
  auto& reading = b.attention[0].reading;
  for (std::size_t q = 0; q < 64; ++q)
    for (std::size_t k = 0; k < 64; ++k)
      reading[q * 64 + k] = static_cast<std::int8_t>(reading[q * 64 + k] / 4 + static_cast<int>(q % 9) +
                                                     static_cast<int>(k % 7));
  EXPECT_GT(attention_correlation(a, a.attention[0], b, b.attention[0], shared), 0.99);
  for (auto& x : reading) x = static_cast<std::int8_t>(-x);
  EXPECT_LT(attention_correlation(a, a.attention[0], b, b.attention[0], shared), -0.99);
  std::ranges::fill(reading, std::int8_t{3});
  EXPECT_TRUE(std::isnan(attention_correlation(a, a.attention[0], b, b.attention[0], shared)));
}

TEST(AttentionCorrelation, JoinsTokensOfTwoOrders) {
  // b has every second anchor of a: its row i is a's row 2 i.
  NeuronSketch a = with_keys(range(0, 64), {}), b = with_keys(range(0, 32, 2), {});
  neuron_toy::add_attention(a, 1, 7, 8, 0);
  b.attention.push_back({0, {}});
  for (std::size_t q = 0; q < 32; ++q)
    for (std::size_t k = 0; k < 32; ++k)
      b.attention[0].reading.push_back(a.attention[0].reading[2 * q * 64 + 2 * k]);
  const SharedAnchors shared = shared_anchors(a, b);
  EXPECT_NEAR(attention_correlation(a, a.attention[0], b, b.attention[0], shared), 1, 1e-12);
  const SharedAnchors turned = shared_anchors(b, a);
  EXPECT_NEAR(attention_correlation(b, b.attention[0], a, a.attention[0], turned), 1, 1e-12);
}

TEST(AttentionCorrelation, OfFewerThanSixteenIsMissing) {
  NeuronSketch a = with_keys(range(0, 64), {});
  neuron_toy::add_attention(a, 1, 7, 8, 0);
  SharedAnchors shared = shared_anchors(a, a);
  for (const std::size_t n : {16, 15}) {
    shared.of_a.resize(n), shared.of_b.resize(n);
    EXPECT_EQ(std::isnan(attention_correlation(a, a.attention[0], a, a.attention[0], shared)), n < 16);
  }
}

}  // namespace
}  // namespace stemma
