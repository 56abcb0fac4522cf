// Are ranks, sizes and nulls of LoRA updates those of the product that is not formed?
#include "analyzers/adapter_update.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

namespace stemma {
namespace {

std::vector<double> normal(std::size_t n, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> draw;
  std::vector<double> out(n);
  for (double& x : out) x = draw(engine);
  return out;
}

TEST(AdapterUpdate, KnownValues) {
  // B = columns (3, 4, 0), (0, 0, 2) and A = rows e1, 5 e2: values 10 and 5, times the scale.
  const std::vector<double> b{3, 0, 4, 0, 0, 2}, a{1, 0, 0, 0, 0, 5, 0, 0};
  const auto update = read_adapter_update({b, a, 3, 2, 4, Dtype::f32, Dtype::f32, -0.5}, 1);
  ASSERT_TRUE(update);
  ASSERT_EQ(update->values.size(), 2U);
  EXPECT_NEAR(update->values[0], 5, 1e-14);
  EXPECT_NEAR(update->values[1], 2.5, 1e-14);
  EXPECT_NEAR(update->norm, std::sqrt(31.25), 1e-14);
  EXPECT_EQ(update->rank, 2U);
}

TEST(AdapterUpdate, RankIsWhatExceedsTheRounding) {
  const std::uint64_t m = 40, r = 6, n = 50;
  std::vector<double> b = normal(m * r, 1);
  const std::vector<double> a = normal(r * n, 2);
  for (std::uint64_t i = 0; i < m; ++i)  // the last column repeats the first, but for its rounding to F32
    b[i * r + r - 1] = static_cast<float>(b[i * r] * (1.0F / 3));
  const auto rank = [&](Dtype type) { return read_adapter_update({b, a, m, r, n, type, type, 2}, 1)->rank; };
  EXPECT_EQ(rank(Dtype::f32), 5U);
  EXPECT_EQ(rank(Dtype::bf16), 5U);
  EXPECT_EQ(rank(Dtype::f64), 6U) << "in F64 the last direction is there";
}

TEST(AdapterUpdate, MoreColumnsThanTheShapeCanHave) {
  const std::vector<double> b = normal(4 * 9, 3), a = normal(9 * 5, 4);
  const auto update = read_adapter_update({b, a, 4, 9, 5, Dtype::f32, Dtype::f32, 1}, 1);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->values.size(), 4U);
  EXPECT_EQ(update->rank, 4U);
  double squares = 0;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 5; ++j) {
      double p = 0;
      for (int k = 0; k < 9; ++k) p += b[i * 9 + k] * a[k * 5 + j];
      squares += p * p;
    }
  EXPECT_NEAR(update->norm, std::sqrt(squares), 1e-12);
}

TEST(AdapterUpdate, ZerosAndWhatIsNoNumber) {
  const std::vector<double> zero(6), a = normal(8, 5);
  const auto update = read_adapter_update({zero, a, 3, 2, 4, Dtype::bf16, Dtype::bf16, 1}, 1);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->rank, 0U);
  EXPECT_EQ(update->norm, 0.0);
  std::vector<double> nan = a;
  nan[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(read_adapter_update({zero, nan, 3, 2, 4, Dtype::f32, Dtype::f32, 1}, 1));
  EXPECT_THROW(read_adapter_update({zero, a, 3, 2, 5, Dtype::f32, Dtype::f32, 1}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
