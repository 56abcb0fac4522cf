// What does the gradient of |W x| look like, without ever forming it?
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace stemma {

/// Sums of the first four powers of the elements of y = W x, row by row.
struct ResponseSums {
  std::uint64_t count = 0;
  std::array<double, 4> power{};
  void add(double y) {
    ++count;
    double product = 1;
    for (double& sum : power) sum += product *= y;
  }
};

/// Features of the m x n gradient g = d|W x| / dW: mean, population standard deviation, Frobenius norm, and
/// the biased estimators of skewness and excess kurtosis.
struct GradientFeatures {
  static constexpr std::size_t count = 5;
  double mean = 0, std = 0, norm = 0, skewness = 0, kurtosis = 0;
  std::array<double, count> values() const { return {mean, std, norm, skewness, kurtosis}; }
};

/// With y = W x and yh = y / |y| the gradient is yh x^T, a matrix of rank one, so its k-th raw moment is
/// mean(yh^k) mean(x^k): exact, in O(n) once y is known. Norm and standard deviation do not depend on W at
/// all; skewness and kurtosis see it through the distribution of y. All zero where y is (W x has no direction
/// there).
GradientFeatures gradient_features(const ResponseSums& y, std::span<const double> x);

/// The parts of a response that do depend on the weights (`repaired`). With a_k = mean(yh^k):
/// kurtosis a_4 / a_2^2 (about zero, at least 1) and skewness |a_3| / a_2^1.5. Scaling W changes neither, the
/// order of its rows does not either. NaN, with the reason in `problem`, where y is zero or not finite, where
/// its powers leave the range of doubles, and below thresholds::guard_fewest_rows rows.
struct RepairedResponse {
  double kurtosis, skewness;
  std::string problem;
};
RepairedResponse repaired_response(const ResponseSums& y);

/// What matrices of m > 0 rows of independent Gaussian weights give, exactly, whatever x: y / |y| is then
/// uniform on the sphere.
struct RepairedControl {
  double kurtosis;         ///< its mean, 3 m / (m + 2)
  double kurtosis_spread;  ///< its standard deviation, about sqrt(24 / m)
  double skewness;         ///< its root mean square, about sqrt(15 / m): with its sign, 0 is the mean
};
RepairedControl repaired_control(std::uint64_t rows);

}  // namespace stemma
