// Are the singular values of a product those of the product that was formed?
#include "analyzers/numerics/thin_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

struct Factors {
  std::uint64_t rows = 0, inner = 0, cols = 0;
  std::vector<double> b, a;

  static Factors gaussian(std::uint64_t rows, std::uint64_t inner, std::uint64_t cols) {
    return {rows, inner, cols, toy::gaussian(rows * inner, 1, 1), toy::gaussian(inner * cols, 1, 2)};
  }
  /// B A has the products of the values of both, because the reflections between them cancel.
  static Factors with_values(const std::vector<double>& b, const std::vector<double>& a, std::uint64_t rows,
                             std::uint64_t cols) {
    Factors out{rows, b.size(), cols, matrices::with_values(b, rows, b.size()), {}};
    const std::vector<double> transposed = matrices::with_values(a, cols, a.size());
    for (std::uint64_t i = 0; i < a.size(); ++i)
      for (std::uint64_t j = 0; j < cols; ++j) out.a.push_back(transposed[j * a.size() + i]);
    return out;
  }
  Factors scaled(double left, double right) const {
    Factors out = *this;
    for (double& x : out.b) x *= left;
    for (double& x : out.a) x *= right;
    return out;
  }
  std::optional<std::vector<double>> values() const {
    std::vector<double> left = b, right = a;
    return thin_product_values({left, right, rows, inner, cols});
  }
  std::vector<double> formed() const {
    std::vector<double> product(rows * cols);  // row-major, the transpose A^T B^T in BLAS's order
    dgemm(Transpose::no, Transpose::no, cols, rows, inner, 1, a.data(), cols, b.data(), inner, 0,
          product.data(), cols);
    return dense_singular_values(product, cols, rows);
  }
};

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_LE(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(i < found.size() ? found[i] : 0, expected[i], 1e-13 * expected[0]) << i;
}

TEST(ThinProduct, AgreesWithTheFormedProduct) {
  using Shape = std::array<std::uint64_t, 3>;
  for (const auto& [rows, inner, cols] :
       {Shape{300, 16, 200}, Shape{200, 16, 300}, Shape{257, 64, 64}, Shape{64, 64, 130}, Shape{40, 40, 40},
        Shape{7, 1, 5}, Shape{1, 1, 9}, Shape{1, 1, 1}}) {
    const Factors factors = Factors::gaussian(rows, inner, cols);
    const auto values = factors.values();
    ASSERT_TRUE(values);
    EXPECT_EQ(values->size(), inner);
    EXPECT_TRUE(std::is_sorted(values->rbegin(), values->rend()));
    expect_near(*values, factors.formed());
  }
}

TEST(ThinProduct, HasTheValuesThatWereBuiltIn) {
  const std::vector<double> b = {5, 4, 3, 2, 1}, a = {7, 1, 0.5, 1e-3, 1e-6};
  expect_near(*Factors::with_values(b, a, 90, 33).values(), {35, 4, 1.5, 2e-3, 1e-6});
}

TEST(ThinProduct, RankMayBeLess) {
  expect_near(*Factors::with_values({3, 2, 0, 0}, {1, 1, 1, 0}, 50, 60).values(), {3, 2, 0, 0});
  Factors twins = Factors::gaussian(30, 3, 20);
  for (std::uint64_t i = 0; i < 30; ++i) twins.b[3 * i + 2] = twins.b[3 * i];  // two equal columns
  expect_near(*twins.values(), twins.formed());
  EXPECT_LT(twins.values()->back(), 1e-14 * twins.values()->front());
  EXPECT_EQ(*Factors::gaussian(9, 2, 8).scaled(0, 1).values(), std::vector<double>({0, 0}));
  EXPECT_EQ(*Factors::gaussian(9, 2, 8).scaled(1, 0).values(), std::vector<double>({0, 0}));
}

TEST(ThinProduct, NothingInside) {
  EXPECT_EQ(*Factors::gaussian(9, 0, 8).values(), std::vector<double>());
  EXPECT_EQ(*Factors::gaussian(0, 0, 0).values(), std::vector<double>());
}

TEST(ThinProduct, ScaleIsFree) {
  const Factors factors = Factors::gaussian(60, 6, 50);
  const std::vector<double> usual = *factors.values();
  EXPECT_EQ(*factors.scaled(0x1p900, 0x1p-900).values(), usual);
  EXPECT_EQ(*factors.scaled(0x1p-900, 0x1p900).values(), usual);
  for (const auto& [left, right] : {std::pair{1e200, 1e-200}, {1e-200, 1e200}, {1e200, 1.0}, {1e-200, 1.0}}) {
    const std::vector<double> values = *factors.scaled(left, right).values();
    for (std::size_t i = 0; i < usual.size(); ++i)
      EXPECT_NEAR(values[i] / (left * right), usual[i], 1e-13 * usual[0]);
  }
  EXPECT_EQ(*factors.scaled(1e200, 1e200).values(), std::vector<double>(6, HUGE_VAL));
  EXPECT_EQ(*factors.scaled(1e-200, 1e-200).values(), std::vector<double>(6, 0));
}

TEST(ThinProduct, NotANumberHasNoValues) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Factors left = Factors::gaussian(9, 2, 8), right = left;
    left.b.back() = bad;
    right.a.front() = bad;
    EXPECT_FALSE(left.values());
    EXPECT_FALSE(right.values());
  }
}

TEST(ThinProduct, SizesMustFit) {
  EXPECT_THROW(Factors::gaussian(3, 4, 9).values(), std::invalid_argument);
  EXPECT_THROW(Factors::gaussian(9, 4, 3).values(), std::invalid_argument);
  Factors short_one = Factors::gaussian(9, 2, 8);
  short_one.a.pop_back();
  EXPECT_THROW(short_one.values(), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
