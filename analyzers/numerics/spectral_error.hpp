// How far can a computed singular value be from the true one?
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace stemma {

/// The numeric values are written to archives: append only.
enum class ErrorModel : std::uint8_t { gram, backward_stable };
std::string_view name_of(ErrorModel model);

/// With the eigenvalue L + d of the Gram matrix in place of L, |d| <= E, the root s is off by |d| / (s' + s):
///
///   e_estimate = 16 sqrt(k) u s1^2                     rounding as a random walk
///   e_bound = g |A|_F^2 + k u s1^2, g = M u/(1 - M u)  worst case, p(k) = k for the eigensolver
///   err(s; E, f) = min(sqrt E, E / (s + sqrt max(0, s^2 - E))) + f u s1
///   estimate(s) = err(s; e_estimate, 4 sqrt k)         bound(s) = err(s; e_bound, k)
///   tau = sqrt(e_estimate): below it a value says no more than that it is small
///
/// k = min(rows, cols), M = max(rows, cols), u = 2^-53. Backward stable methods (dgesdd): E = 0 and
/// estimate = tau = 4 sqrt(k) u s1, bound = max(4 sqrt k, k) u s1, whatever the value.
struct SpectralError {
  ErrorModel model = ErrorModel::gram;
  std::uint64_t k = 0;
  double s1 = 0;
  double e_estimate = 0;  ///< in squares of the weight's unit, as e_bound
  double e_bound = 0;
  double tau = 0;  ///< in the weight's unit

  double estimate(double s) const;
  double bound(double s) const;
};

/// `frobenius_sq` is the exact sum of squares of the elements.
SpectralError gram_error(std::uint64_t rows, std::uint64_t cols, double s1, double frobenius_sq);
SpectralError backward_stable_error(std::uint64_t rows, std::uint64_t cols, double s1);

/// Values below tau.
std::uint64_t count_below(std::span<const double> values, double tau);

}  // namespace stemma
