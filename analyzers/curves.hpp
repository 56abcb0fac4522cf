// How alike are two curves over layers?
#pragma once
#include <span>
#include <vector>

namespace stemma {

/// Pearson's r of two curves of equal length. `constant`: one of them does not vary, r is 0 by convention.
/// NaN for fewer than two points, unequal lengths or values that are not finite.
struct Correlation {
  double r = 0;
  bool constant = false;
};
Correlation pearson(std::span<const double> a, std::span<const double> b);

/// Linear interpolation to n points: point i lies at i (L - 1)/(n - 1) of the L given ones.
std::vector<double> resampled(std::span<const double> curve, std::size_t n);

/// (x - mean) / population standard deviation; a constant curve is only centred.
std::vector<double> normalised(std::span<const double> curve);

/// True when the population standard deviation is below 1e-12 of |mean|.
bool is_constant(std::span<const double> curve);

/// The finite values, in order: layers without the part (hybrid models) drop out.
std::vector<double> finite_values(std::span<const double> curve);

}  // namespace stemma
