// Do vectors of every instruction set give the sums over rows and columns that one element at a time gives,
// to the bit, however many rows come together?
#include "analyzers/numerics/witness_sums.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "io/model/simd.hpp"

namespace stemma {
namespace {

/// Elements that are eight apart belong to one partial sum.
template <typename Term>
double in_eight(std::size_t n, Term term) {
  std::array<double, 8> partial{};
  for (std::size_t j = 0; j < n; ++j) partial[j % 8] += term(j);
  double sum = 0;
  for (const double x : partial) sum += x;
  return sum;
}

std::vector<double> drawn(std::size_t n, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0.1, 1);
  std::vector<double> values(n);
  for (double& x : values) x = normal(random);
  return values;
}

class WitnessSums : public testing::TestWithParam<std::string> {};

TEST_P(WitnessSums, HaveTheBitsOfTheirDefinition) {
  const ForcedSimdTarget forced(GetParam());
  std::mt19937_64 random(5);
  for (int round = 0; round < 500; ++round) {
    const std::size_t n = random() % 70, count = 1 + random() % witness_rows;
    const std::vector<double> rows = drawn(count * n, random), x = drawn(n, random), y = drawn(n, random);
    std::array<std::vector<double>, 4> sums, expected;
    for (std::size_t i = 0; i < 4; ++i) sums[i] = expected[i] = drawn(n, random);
    const auto products = row_products(rows, count, x, y);
    const RowSums of_rows = add_rows(rows, count, products, {sums[0], sums[1], sums[2], sums[3]});
    for (std::size_t r = 0; r < count; ++r) {
      const double* const a = rows.data() + r * n;
      EXPECT_EQ(products[0][r], in_eight(n, [&](std::size_t j) { return a[j] * x[j]; }));
      EXPECT_EQ(row_products(rows, count, x)[r], products[0][r]);
      EXPECT_EQ(products[1][r], in_eight(n, [&](std::size_t j) { return a[j] * y[j]; }));
      EXPECT_EQ(of_rows.square[r], in_eight(n, [&](std::size_t j) { return a[j] * a[j]; }));
      EXPECT_EQ(of_rows.absolute[r], in_eight(n, [&](std::size_t j) { return std::abs(a[j]); }));
      for (std::size_t j = 0; j < n; ++j) {
        expected[0][j] += products[0][r] * a[j];
        expected[1][j] += products[1][r] * a[j];
        expected[2][j] += a[j] * a[j];
        expected[3][j] += std::abs(a[j]);
      }
    }
    EXPECT_EQ(sums, expected) << n << " " << count;
  }
}

TEST_P(WitnessSums, ShowWhatIsNotFiniteAtEveryPlace) {
  const ForcedSimdTarget forced(GetParam());
  for (std::size_t n = 1; n < 20; ++n)
    for (std::size_t at = 0; at < witness_rows * n; ++at)
      for (const double bad : {NAN, INFINITY, -INFINITY}) {
        std::vector<double> rows(witness_rows * n, 1.0), a(n), b(n), c(n), d(n);
        rows[at] = bad;
        const RowSums sums = add_rows(rows, witness_rows, {}, {a, b, c, d});
        for (std::size_t r = 0; r < witness_rows; ++r)
          EXPECT_EQ(std::isfinite(sums.absolute[r]), r != at / n);
      }
}

INSTANTIATE_TEST_SUITE_P(Targets, WitnessSums, testing::ValuesIn(simd_targets()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace stemma
