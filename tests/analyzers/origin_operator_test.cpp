// Are the largest singular values of a matrix that is applied those of the matrix that is formed?
#include "analyzers/origin_operator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/lapack.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

std::vector<double> values_of(std::vector<double> a, std::uint64_t rows, std::uint64_t cols) {
  return dense_singular_values(a, cols, rows);
}

/// Ten values far above a floor.
std::vector<double> spiked(std::uint64_t count) {
  std::vector<double> s(count, 0.01);
  for (std::size_t i = 0; i < 10; ++i) s[i] = 10.0 - static_cast<double>(i);
  return s;
}

TEST(OriginOperator, ValuesAboveTheFloorAreExact) {
  using Shape = std::array<std::uint64_t, 2>;
  for (const auto& [rows, cols] : {Shape{300, 200}, Shape{200, 300}, Shape{64, 64}}) {
    const std::vector<double> a = matrices::with_values(spiked(std::min(rows, cols)), rows, cols);
    const auto found = leading_singular_values(matrix_operator(a, rows, cols), 26, 1);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 26U);
    for (std::size_t i = 0; i < 26; ++i)
      EXPECT_NEAR((*found)[i], i < 10 ? 10.0 - static_cast<double>(i) : 0.01, 1e-12);
  }
}

TEST(OriginOperator, FlatSpectraAreAFewPerCentLow) {
  const std::vector<double> a = toy::gaussian(400 * 300, 1, 3), expected = values_of(a, 400, 300);
  const std::vector<double> found = *leading_singular_values(matrix_operator(a, 400, 300), 60, 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_LE(found[i], expected[i] * (1 + 1e-12));
    EXPECT_GE(found[i], expected[i] * 0.93);
  }
  EXPECT_NE(*leading_singular_values(matrix_operator(a, 400, 300), 60, 2), found);  // another block
  EXPECT_EQ(*leading_singular_values(matrix_operator(a, 400, 300), 60, 1), found);
}

TEST(OriginOperator, AllValuesAreExact) {
  const std::vector<double> a = toy::gaussian(30 * 20, 1, 3), expected = values_of(a, 30, 20);
  const std::vector<double> found = *leading_singular_values(matrix_operator(a, 30, 20), 20, 1);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(found[i], expected[i], 1e-12 * expected[0]);
}

TEST(OriginOperator, ProductsAreNotFormed) {
  const std::vector<double> b = toy::gaussian(50 * 70, 1, 1), a = toy::gaussian(70 * 40, 1, 2);
  std::vector<double> product(50 * 40);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t k = 0; k < 70; ++k)
      for (std::size_t j = 0; j < 40; ++j) product[40 * i + j] += b[70 * i + k] * a[40 * k + j];
  const LinearOperator applied = product_operator(b, a, 50, 70, 40),
                       formed = matrix_operator(product, 50, 40);
  const std::vector<double> x = toy::gaussian(40 * 3, 1, 4), y = toy::gaussian(50 * 3, 1, 5);
  std::vector<double> one(50 * 3), two(50 * 3), back(40 * 3), forth(40 * 3);
  applied.apply(3, x, one);
  formed.apply(3, x, two);
  applied.apply_transpose(3, y, back);
  formed.apply_transpose(3, y, forth);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 1e-11);
  for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], forth[i], 1e-11);
  double direct = 0;  // row 7 of the product with the third vector
  for (std::size_t j = 0; j < 40; ++j) direct += product[40 * 7 + j] * x[80 + j];
  EXPECT_NEAR(two[107], direct, 1e-11);
}

TEST(OriginOperator, EdgeOfNoiseIsFound) {
  for (const std::uint64_t cols : {100U, 400U}) {
    const std::vector<double> a = toy::gaussian(400 * cols, 1, 3);
    const double expected = values_of(a, 400, cols)[0],
                 found = largest_singular_value(matrix_operator(a, 400, cols));
    EXPECT_LE(found, expected * (1 + 1e-12));
    EXPECT_GE(found, expected * 0.99);
  }
}

TEST(OriginOperator, Nothing) {
  const std::vector<double> zeros(12);
  EXPECT_EQ(*leading_singular_values(matrix_operator(zeros, 4, 3), 2, 1), std::vector<double>({0, 0}));
  EXPECT_EQ(*leading_singular_values(matrix_operator(zeros, 4, 3), 0, 1), std::vector<double>());
  EXPECT_EQ(largest_singular_value(matrix_operator(zeros, 4, 3)), 0);
  EXPECT_EQ(largest_singular_value(matrix_operator({}, 0, 3)), 0);
  EXPECT_THROW(leading_singular_values(matrix_operator(zeros, 4, 3), 4, 1), std::invalid_argument);
  EXPECT_THROW(matrix_operator(zeros, 4, 4), std::invalid_argument);
  std::vector<double> bad = zeros;
  bad[5] = std::nan("");
  EXPECT_FALSE(leading_singular_values(matrix_operator(bad, 4, 3), 2, 1));
  EXPECT_TRUE(std::isnan(largest_singular_value(matrix_operator(bad, 4, 3))));
}

TEST(OrthonormalFactor, SpansTheColumns) {
  const std::vector<double> a = toy::gaussian(9 * 4, 1, 1);  // column-major
  std::vector<double> q = a;
  orthonormal_factor(q, 9, 4);
  const Eigen::Map<const Eigen::MatrixXd> columns(a.data(), 9, 4), factor(q.data(), 9, 4);
  EXPECT_LT((factor.transpose() * factor - Eigen::MatrixXd::Identity(4, 4)).norm(), 1e-14);
  EXPECT_LT((factor * (factor.transpose() * columns) - columns).norm(), 1e-14 * columns.norm());
  std::vector<double> none(9 * 4);
  orthonormal_factor(none, 9, 4);
  const Eigen::Map<const Eigen::MatrixXd> any(none.data(), 9, 4);
  EXPECT_LT((any.transpose() * any - Eigen::MatrixXd::Identity(4, 4)).norm(), 1e-14);
}

}  // namespace
}  // namespace stemma
