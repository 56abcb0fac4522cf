// Does this machine's BLAS multiply correctly?
#include "analyzers/numerics/blas_selftest.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/philox.hpp"

namespace stemma {

namespace {

/// Column-major integers in [-127, 127].
struct Integers {
  std::size_t rows, cols;
  std::vector<int> values;

  Integers(std::size_t m, std::size_t n) : rows(m), cols(n), values(m * n) {}
  static Integers made(std::size_t m, std::size_t n, std::uint32_t seed) {
    Integers out(m, n);
    for (std::size_t i = 0; i < out.values.size(); i += 4) {
      const auto words = philox({static_cast<std::uint32_t>(i / 4), 0, 0, 0}, {seed, 0x7E57});
      for (std::size_t j = i; j < std::min(i + 4, out.values.size()); ++j)
        out.values[j] = static_cast<int>(words[j - i] % 255) - 127;
    }
    return out;
  }
  Integers transposed() const {
    Integers out(cols, rows);
    for (std::size_t j = 0; j < cols; ++j)
      for (std::size_t i = 0; i < rows; ++i) out.values[j + i * cols] = values[i + j * rows];
    return out;
  }
  std::vector<double> doubles() const { return {values.begin(), values.end()}; }
};

/// A B; sums stay below 2^31 for inner sizes up to 100,000.
Integers product(const Integers& a, const Integers& b) {
  Integers c(a.rows, b.cols);
  for (std::size_t j = 0; j < b.cols; ++j)
    for (std::size_t p = 0; p < a.cols; ++p) {
      const int factor = b.values[p + j * b.rows];
      for (std::size_t i = 0; i < a.rows; ++i) c.values[i + j * a.rows] += a.values[i + p * a.rows] * factor;
    }
  return c;
}

bool equal(const std::vector<double>& found, const Integers& expected, double before, bool lower_only) {
  for (std::size_t j = 0; j < expected.cols; ++j)
    for (std::size_t i = lower_only ? j : 0; i < expected.rows; ++i) {
      const std::size_t at = i + j * expected.rows;
      if (found[at] != expected.values[at] + before) return false;
    }
  return true;
}

void test_gemm(const Integers& a, const Integers& b, std::vector<std::string>& complaints) {
  const Integers expected = product(a, b);
  struct Orientation {
    Transpose a, b;
  };
  constexpr std::array<Orientation, 3> orientations = {
      {{Transpose::no, Transpose::no}, {Transpose::no, Transpose::yes}, {Transpose::yes, Transpose::no}}};
  for (const auto& [ta, tb] : orientations)
    for (const double beta : {0.0, 1.0}) {
      const auto left = (ta == Transpose::yes ? a.transposed() : a).doubles();
      const auto right = (tb == Transpose::yes ? b.transposed() : b).doubles();
      std::vector<double> c(a.rows * b.cols, 3.0);
      dgemm(ta, tb, a.rows, b.cols, a.cols, 1, left.data(), ta == Transpose::yes ? a.cols : a.rows,
            right.data(), tb == Transpose::yes ? b.cols : b.rows, beta, c.data(), a.rows);
      if (!equal(c, expected, 3 * beta, false))
        complaints.push_back(fmt::format("dgemm {}{} of {} x {} x {} is wrong", static_cast<char>(ta),
                                         static_cast<char>(tb), a.rows, a.cols, b.cols));
    }
}

void test_syrk(const Integers& a, std::vector<std::string>& complaints) {
  const Integers expected = product(a, a.transposed());
  for (const Transpose t : {Transpose::no, Transpose::yes})
    for (const double beta : {0.0, 1.0}) {
      const auto values = (t == Transpose::yes ? a.transposed() : a).doubles();
      std::vector<double> c(a.rows * a.rows, 3.0);
      dsyrk(t, a.rows, a.cols, 1, values.data(), t == Transpose::yes ? a.cols : a.rows, beta, c.data(),
            a.rows);
      if (!equal(c, expected, 3 * beta, true))
        complaints.push_back(
            fmt::format("dsyrk {} of {} x {} is wrong", static_cast<char>(t), a.rows, a.cols));
    }
}

/// (A A^T) x = A (A^T x), exact in integers.
void test_large_product(std::vector<std::string>& complaints) {
  const Integers a = Integers::made(512, 4096, 9);
  const auto values = a.doubles();
  std::vector<double> c(a.rows * a.rows, 0.0);
  dgemm(Transpose::no, Transpose::yes, a.rows, a.rows, a.cols, 1, values.data(), a.rows, values.data(),
        a.rows, 0, c.data(), a.rows);
  std::vector<std::int64_t> inner(a.cols, 0), expected(a.rows, 0);
  const auto sign = [](std::size_t i) { return i * i % 7 < 3 ? -1 : 1; };
  for (std::size_t p = 0; p < a.cols; ++p)
    for (std::size_t i = 0; i < a.rows; ++i) inner[p] += std::int64_t{sign(i)} * a.values[i + p * a.rows];
  for (std::size_t p = 0; p < a.cols; ++p)
    for (std::size_t i = 0; i < a.rows; ++i) expected[i] += inner[p] * a.values[i + p * a.rows];
  for (std::size_t i = 0; i < a.rows; ++i) {
    std::int64_t found = 0;
    for (std::size_t j = 0; j < a.rows; ++j) found += sign(j) * static_cast<std::int64_t>(c[i + j * a.rows]);
    if (found == expected[i]) continue;
    complaints.emplace_back("dgemm NT of 512 x 4096 x 512 is wrong");
    return;
  }
}

void test_eigenvalues(std::vector<std::string>& complaints) {
  constexpr std::size_t n = 257;
  for (const auto how : {Tridiagonalisation::one_stage, Tridiagonalisation::two_stage}) {
    std::vector<double> matrix(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      matrix[i + i * n] = 2;
      if (i + 1 < n) matrix[i + 1 + i * n] = -1;
    }
    const auto found = symmetric_eigenvalues(matrix, n, how);
    double worst = found.empty() ? 4 : 0;
    for (std::size_t j = 0; j < found.size(); ++j)
      worst = std::max(worst, std::abs(found[j] - 2 +
                                       2 * std::cos(static_cast<double>(j + 1) * std::numbers::pi /
                                                    static_cast<double>(n + 1))));
    if (!(worst <= 4e-13))
      complaints.push_back(fmt::format("{} is off by {:.2g} of 4",
                                       how == Tridiagonalisation::one_stage ? "dsyevd" : "dsyevd_2stage",
                                       worst));
  }
}

}  // namespace

std::vector<std::string> blas_selftest() {
  constexpr std::array<std::array<std::size_t, 2>, 5> sizes = {
      {{1, 1}, {7, 5}, {64, 64}, {129, 67}, {513, 255}}};
  std::vector<std::string> complaints;
  std::uint32_t seed = 0;
  for (const auto& [m, n] : sizes) {
    const Integers a = Integers::made(m, n, ++seed);
    test_syrk(a, complaints);
    test_gemm(a, Integers::made(n, n + 3, ++seed), complaints);
  }
  test_large_product(complaints);
  test_eigenvalues(complaints);
  return complaints;
}

}  // namespace stemma
