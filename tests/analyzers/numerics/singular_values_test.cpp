// Are all singular values right, within the errors that are claimed for them, for every kind of matrix?
#include "analyzers/numerics/singular_values.hpp"

#include <gtest/gtest.h>

#include "analyzers/numerics/lapack.hpp"
#include "io/model/finding.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

using namespace matrices;

/// Every value within the rigorous bound and the estimate, both computed for the value itself.
void expect_within_errors(const Spectrum& spectrum, const std::vector<double>& truth) {
  ASSERT_EQ(spectrum.values.size(), truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double s = spectrum.values[i], difference = std::abs(s - truth[i]);
    EXPECT_LE(difference, spectrum.error.estimate(s)) << i << " of " << truth.size() << ": " << truth[i];
    EXPECT_LE(difference, spectrum.error.bound(s)) << i;
    EXPECT_TRUE(i == 0 || s <= spectrum.values[i - 1]);
    EXPECT_GE(s, 0);
  }
}

std::vector<double> powers(std::size_t k, double exponent) {
  std::vector<double> s(k);
  for (std::size_t i = 0; i < k; ++i) s[i] = std::pow(static_cast<double>(i + 1), exponent);
  return s;
}

TEST(SingularValues, ClosedForm) {
  for (const auto& [rows, cols] :
       {std::pair{96U, 96U}, {300U, 70U}, {70U, 300U}, {1U, 40U}, {40U, 1U}, {1U, 1U}})
    for (const double exponent : {0.0, -0.5, -2.0}) {
      const auto truth = powers(std::min(rows, cols), exponent);
      const auto spectrum = spectrum_of(stored(Dtype::f64, rows, cols, with_values(truth, rows, cols)));
      ASSERT_TRUE(spectrum);
      expect_within_errors(*spectrum, truth);
      EXPECT_EQ(spectrum->attempts, 1);
    }
}

struct Named {
  std::string name;
  Stored matrix;
};

/// The kinds of the table of accuracies: noise, spikes, exact low rank, low rank rounded, graded columns,
/// decay.
std::vector<Named> kinds(std::uint64_t rows, std::uint64_t cols) {
  const auto noise = toy::gaussian(rows * cols, 0.02, 7);
  auto spike = noise, graded = noise, low(noise), constant = noise;
  const auto left = toy::gaussian(rows * 4, 1, 8), right = toy::gaussian(cols * 4, 1, 9);
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::uint64_t j = 0; j < cols; ++j) {
      const std::uint64_t at = i * cols + j;
      low[at] = 0;
      for (std::uint64_t r = 0; r < 4; ++r) low[at] += left[4 * i + r] * right[4 * j + r];
      spike[at] += 20 * left[4 * i] * right[4 * j];
      graded[at] *= std::pow(10, -6.0 * static_cast<double>(j) / static_cast<double>(cols));
      constant[at] = 0.1;
    }
  const auto decay = with_values(powers(std::min(rows, cols), -2), rows, cols);
  return {{"noise bf16", stored(Dtype::bf16, rows, cols, noise)},
          {"noise f32", stored(Dtype::f32, rows, cols, noise)},
          {"spike f32", stored(Dtype::f32, rows, cols, spike)},
          {"low rank f64", stored(Dtype::f64, rows, cols, low)},
          {"low rank bf16", stored(Dtype::bf16, rows, cols, low)},
          {"graded f32", stored(Dtype::f32, rows, cols, graded)},
          {"decay f32", stored(Dtype::f32, rows, cols, decay)},
          {"constant f32", stored(Dtype::f32, rows, cols, constant)}};
}

TEST(SingularValues, ErrorFormulasHoldForEveryValue) {
  for (const auto& [rows, cols] : {std::pair{80U, 80U}, {260U, 60U}, {60U, 260U}, {64U, 3U}, {3U, 700U}})
    for (const auto& [name, matrix] : kinds(rows, cols)) {
      SCOPED_TRACE(name + " " + std::to_string(rows) + "x" + std::to_string(cols));
      const auto spectrum = spectrum_of(matrix);
      ASSERT_TRUE(spectrum);
      expect_within_errors(*spectrum, by_jacobi(matrix));
      EXPECT_EQ(spectrum->count_below_tau, count_below(spectrum->values, spectrum->error.tau));
    }
}

TEST(SingularValues, AgreesWithLapackAtTheSizeOfRealWeights) {
  for (const auto& [rows, cols] : {std::pair{600U, 500U}, {5000U, 130U}, {130U, 5000U}}) {
    const Stored matrix = gaussian(Dtype::bf16, rows, cols, 3);
    auto values = matrix.values();
    const auto reference = dense_singular_values(values, cols, rows);
    const auto spectrum = spectrum_of(matrix, {.crosscheck = true});
    ASSERT_TRUE(spectrum);
    EXPECT_EQ(spectrum->method, SpectrumMethod::gram_dsyevd);
    for (std::size_t i = 0; i < reference.size(); ++i)
      EXPECT_NEAR(spectrum->values[i], reference[i], 1e-12 * reference[0]) << i;
    EXPECT_LT(spectrum->gaps.crosscheck_gap, 1e-12);
    EXPECT_LT(spectrum->gaps.trace_gap, 1e-14);
    EXPECT_LT(spectrum->gaps.probe_gap, 1e-15);
  }
}

TEST(SingularValues, HowTheRowsArriveChangesNoBit) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f64})
    for (const auto& [rows, cols] : {std::pair{9000U, 40U}, {40U, 900U}}) {
      const Stored matrix = gaussian(dtype, rows, cols, 5);
      const auto whole = spectrum_of(matrix);
      for (const std::uint64_t piece : {1U, 7U, 4096U, 5000U}) {
        const auto cut = spectrum_of(matrix, {}, SpectrumSolvers::lapack(), piece);
        EXPECT_EQ(cut->values, whole->values) << piece;
        EXPECT_EQ(cut->frobenius_sq, whole->frobenius_sq);
        EXPECT_EQ(cut->gaps.probe_gap, whole->gaps.probe_gap);
      }
    }
}

TEST(SingularValues, NothingToDecompose) {
  for (const auto& [rows, cols] : {std::pair{0U, 5U}, {5U, 0U}, {0U, 0U}}) {
    const auto spectrum = spectrum_of(stored(Dtype::bf16, rows, cols, {}));
    ASSERT_TRUE(spectrum);
    EXPECT_TRUE(spectrum->values.empty());
  }
  const auto zero = spectrum_of(stored(Dtype::bf16, 6, 4, std::vector<double>(24, 0.0)));
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->values, std::vector<double>(4, 0.0));
  EXPECT_EQ(zero->count_below_tau, 0U);
}

TEST(SingularValues, NotFiniteIsNoSpectrum) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const Dtype dtype : {Dtype::bf16, Dtype::f32, Dtype::f64})
      for (const auto& [rows, cols] : {std::pair{9U, 5U}, {5U, 9U}}) {
        auto values = toy::gaussian(45, 1, 1);
        values[44] = bad;
        EXPECT_FALSE(spectrum_of(stored(dtype, rows, cols, values)));
      }
}

TEST(SingularValues, ScaleIsCarriedThrough) {
  // Powers of two scale a matrix exactly; subnormal elements are rounded to few digits, so the truth is taken
  // anew.
  const std::vector<double> base = toy::gaussian(12 * 8, 1, 2);
  for (const auto& [dtype, power] : {std::pair{Dtype::f64, 1000},
                                     {Dtype::f64, -1015},
                                     {Dtype::f64, -1060},
                                     {Dtype::f32, 120},
                                     {Dtype::f32, -140},
                                     {Dtype::bf16, -131},
                                     {Dtype::bf16, 120}}) {
    auto values = base;
    for (double& x : values) x = std::ldexp(x, power);
    for (const auto& [rows, cols] : {std::pair{12U, 8U}, {8U, 12U}}) {
      Stored matrix = stored(dtype, rows, cols, values);
      const auto spectrum = spectrum_of(matrix);
      ASSERT_TRUE(spectrum) << power;
      const auto truth = by_jacobi(matrix);  // 80-bit floats have exponents to spare
      for (std::size_t i = 0; i < truth.size(); ++i)
        EXPECT_NEAR(std::ldexp(spectrum->values[i], -power), std::ldexp(truth[i], -power), 1e-13)
            << power << " " << i;
    }
  }
}

TEST(SingularValues, SmallValuesAreTakenFromTheMatrixItself) {
  std::vector<double> truth(40);
  for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = std::pow(3e-6, static_cast<double>(i) / 39);
  truth[38] = truth[39] * (1 + 1e-7);  // two that are nearly one
  const auto largest_error = [&](const Spectrum& spectrum) {
    double worst = 0;
    for (std::size_t i = 0; i < truth.size(); ++i)
      worst = std::max(worst, std::abs(spectrum.values[i] - truth[i]));
    return worst;
  };
  SpectrumSolvers without = SpectrumSolvers::lapack();
  without.eigenvalues = [right = without.eigenvalues](std::span<double> g, std::uint64_t n) {
    return Eigenvalues{right(g, n).ascending, {}};
  };
  for (const auto& [rows, cols] : {std::pair{40U, 40U}, {900U, 40U}, {40U, 900U}}) {
    const Stored matrix = stored(Dtype::f64, rows, cols, with_values(truth, rows, cols));
    const auto polished = spectrum_of(matrix), rough = spectrum_of(matrix, {}, without);
    EXPECT_EQ(polished->count_below_tau, 0U);
    EXPECT_LT(largest_error(*polished), 5e-14);
    EXPECT_GT(largest_error(*rough), 2e-13);
    EXPECT_TRUE(std::is_sorted(polished->values.rbegin(), polished->values.rend()));
  }
}

TEST(SingularValues, RefinementResolvesWhatTheGramCannot) {
  const auto truth = powers(40, -6);  // down to 2.4e-10 of the largest
  Stored matrix = stored(Dtype::f64, 60, 40, with_values(truth, 60, 40));
  const auto coarse = spectrum_of(matrix);
  EXPECT_GT(coarse->count_below_tau, 0U);
  const auto fine = spectrum_of(matrix, {.refine = true});
  EXPECT_EQ(fine->method, SpectrumMethod::dgesdd);
  EXPECT_EQ(fine->error.model, ErrorModel::backward_stable);
  EXPECT_EQ(fine->count_below_tau, 0U);
  for (std::size_t i = 0; i < truth.size(); ++i)
    EXPECT_LE(std::abs(fine->values[i] - truth[i]), fine->error.bound(fine->values[i]));
  const auto plain = spectrum_of(gaussian(Dtype::bf16, 60, 40, 1), {.refine = true});
  EXPECT_EQ(plain->method, SpectrumMethod::gram_dsyevd);  // nothing to refine
}

TEST(SingularValues, ManyRowsOfOneValueAreNoFalseAlarm) {
  // Equal terms added one by one err in one direction; 150,000 of them would break the gates.
  const auto spectrum = spectrum_of(stored(Dtype::f32, 150000, 64, std::vector<double>(9600000, 0.1)));
  ASSERT_TRUE(spectrum);
  EXPECT_EQ(spectrum->attempts, 1);
  EXPECT_NEAR(spectrum->values[0], static_cast<double>(0.1F) * std::sqrt(9600000.0), 1e-9);
}

TEST(SingularValues, PanelsDependOnShapeOnly) {
  EXPECT_EQ(panel_height({Dtype::bf16, 5000, 2048}), 512U);
  EXPECT_EQ(panel_height({Dtype::bf16, 20000, 16384}), 256U);
  EXPECT_EQ(panel_height({Dtype::bf16, 80000, 65536}), 256U);
  EXPECT_EQ(panel_height({Dtype::bf16, 150000, 64}), 4096U);
  EXPECT_EQ(panel_height({Dtype::bf16, 64, 150000}), 4096U);
  EXPECT_EQ(panel_height({Dtype::bf16, 100, 64}), 100U);
  EXPECT_LT(singular_values_memory({Dtype::bf16, 150000, 64}), std::uint64_t{130} << 20U);
}

}  // namespace
}  // namespace stemma
