// Is the bound below the largest singular value that LAPACK finds, and close to it?
#include "analyzers/numerics/largest_singular_value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/held_matrix.hpp"

extern "C" void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s,
                        double* u, const int* ldu, double* vt, const int* ldvt, double* work,
                        const int* lwork, int* iwork, int* info);

namespace stemma {
namespace {

std::vector<double> gaussian_values(std::uint64_t rows, std::uint64_t cols, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(rows * cols);
  for (double& x : values) x = normal(generator);
  return values;
}

double largest_by_lapack(std::vector<double> a, int rows, int cols) {
  const int small = std::min(rows, cols);
  std::vector<double> s(static_cast<std::size_t>(small)), work(1);
  std::vector<int> iwork(static_cast<std::size_t>(8 * small));
  int info = 0, query = -1, one = 1;
  dgesdd_("N", &cols, &rows, a.data(), &cols, s.data(), nullptr, &one, nullptr, &one, work.data(), &query,
          iwork.data(), &info);
  const int size = static_cast<int>(work[0]);
  work.resize(static_cast<std::size_t>(size));
  dgesdd_("N", &cols, &rows, a.data(), &cols, s.data(), nullptr, &one, nullptr, &one, work.data(), &size,
          iwork.data(), &info);
  EXPECT_EQ(info, 0);
  return s[0];
}

HeldMatrix held(const std::vector<double>& values, std::uint64_t rows, std::uint64_t cols) {
  HeldMatrix matrix(Dtype::f64, rows, cols);
  matrix.take({0, rows, std::as_bytes(std::span(values))});
  return matrix;
}

double bound(const HeldMatrix& matrix, std::uint64_t cols, double enough = INFINITY, int steps = 40) {
  return largest_singular_value_bound([&](auto x, auto y) { matrix.normal_product(x, y); }, cols, enough,
                                      steps);
}

TEST(LargestSingularValue, NeverAboveLapackAndCloseBelow) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {1, 70}, {70, 1}, {130, 130}, {300, 90}, {90, 300}}) {
    const auto values =
        gaussian_values(static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(cols), 5);
    const double exact = largest_by_lapack(values, rows, cols);
    const HeldMatrix matrix =
        held(values, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(cols));
    const double found = bound(matrix, static_cast<std::uint64_t>(cols));
    EXPECT_LE(found, exact * (1 + 1e-13));
    EXPECT_GE(found, exact * 0.99);
    EXPECT_LE(bound(matrix, static_cast<std::uint64_t>(cols), INFINITY, 2), found * (1 + 1e-13));
  }
}

TEST(LargestSingularValue, FindsAStrongDirectionAndStopsEarly) {
  auto values = gaussian_values(200, 160, 6);
  for (std::size_t i = 0; i < 200; ++i) {
    for (std::size_t j = 0; j < 160; ++j) values[i * 160 + j] += 5;  // s1 about 5 sqrt(mn)
  }
  const double exact = largest_by_lapack(values, 200, 160);
  const HeldMatrix matrix = held(values, 200, 160);
  EXPECT_NEAR(bound(matrix, 160), exact, 1e-10 * exact);
  int products = 0;
  const double early = largest_singular_value_bound(
      [&](auto x, auto y) {
        ++products;
        matrix.normal_product(x, y);
      },
      160, exact / 4);
  EXPECT_GT(early, exact / 4);
  EXPECT_LT(products, 10);
}

TEST(LargestSingularValue, ZeroAndNaN) {
  EXPECT_EQ(bound(held(std::vector<double>(60, 0.0), 6, 10), 10), 0);
  std::vector<double> values(60, 1.0);
  values[7] = NAN;
  EXPECT_TRUE(std::isnan(bound(held(values, 6, 10), 10)));
}

TEST(HeldMatrix, RandomMatricesLieAtTheEdgeAndTrainedOnesBeyond) {
  EXPECT_NEAR(held(gaussian_values(400, 300, 7), 400, 300).edge_ratio(1.2), 1, 0.03);
  auto values = gaussian_values(400, 300, 8);
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t j = 0; j < 300; ++j)
      values[i * 300 + j] += 0.3 * std::sin(double(i)) * std::cos(double(j));
  }
  EXPECT_GT(held(values, 400, 300).edge_ratio(1.2), 1.2);
  EXPECT_TRUE(std::isnan(held(std::vector<double>(6, 1.0), 2, 3).edge_ratio(1.2)));  // constant: no edge
}

TEST(Blas, IsSerial) {
  const int threads = serialise_blas();
  EXPECT_TRUE(threads == 0 || threads == 1) << threads;
}

TEST(Blas, WrappersMultiply) {
  const std::vector<double> a = {1, 2, 3, 4, 5, 6};  // 2 x 3, column-major
  std::vector<double> c(4, 0.0);
  dgemm(Transpose::no, Transpose::yes, 2, 2, 3, 1, a.data(), 2, a.data(), 2, 0, c.data(), 2);
  EXPECT_EQ(c, (std::vector<double>{35, 44, 44, 56}));
  std::vector<double> g(4, 0.0);
  dsyrk(Transpose::no, 2, 3, 1, a.data(), 2, 0, g.data(), 2);
  EXPECT_EQ(g[0], 35);
  EXPECT_EQ(g[1], 44);
  EXPECT_EQ(g[3], 56);
  EXPECT_THROW(dgemm(Transpose::no, Transpose::no, std::uint64_t{1} << 40U, 1, 1, 1, a.data(), 1, a.data(), 1,
                     0, g.data(), 1),
               std::overflow_error);
}

}  // namespace
}  // namespace stemma
