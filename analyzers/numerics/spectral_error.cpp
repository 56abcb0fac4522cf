// How far can a computed singular value be from the true one?
#include "analyzers/numerics/spectral_error.hpp"

#include <algorithm>
#include <cmath>

namespace stemma {

namespace {

constexpr double unit_roundoff = 0x1p-53;

double root_error(double s, double e, double shift) {
  if (e == 0) return shift;
  return std::min(std::sqrt(e), e / (s + std::sqrt(std::max(0.0, s * s - e)))) + shift;
}

}  // namespace

std::string_view name_of(ErrorModel model) { return model == ErrorModel::gram ? "gram" : "backward_stable"; }

double SpectralError::estimate(double s) const {
  return root_error(s, e_estimate, 4 * std::sqrt(static_cast<double>(k)) * unit_roundoff * s1);
}

double SpectralError::bound(double s) const {
  const double order = static_cast<double>(k);
  const double factor = model == ErrorModel::gram ? order : std::max(4 * std::sqrt(order), order);
  return root_error(s, e_bound, factor * unit_roundoff * s1);
}

SpectralError gram_error(std::uint64_t rows, std::uint64_t cols, double s1, double frobenius_sq) {
  const std::uint64_t k = std::min(rows, cols);
  const double order = static_cast<double>(k);
  const double longest = static_cast<double>(std::max(rows, cols)) * unit_roundoff;
  SpectralError error{.model = ErrorModel::gram, .k = k, .s1 = s1};
  error.e_estimate = 16 * std::sqrt(order) * unit_roundoff * s1 * s1;
  error.e_bound = longest / (1 - longest) * frobenius_sq + order * unit_roundoff * s1 * s1;
  error.tau = std::sqrt(error.e_estimate);
  return error;
}

SpectralError backward_stable_error(std::uint64_t rows, std::uint64_t cols, double s1) {
  const std::uint64_t k = std::min(rows, cols);
  return {.model = ErrorModel::backward_stable,
          .k = k,
          .s1 = s1,
          .tau = 4 * std::sqrt(static_cast<double>(k)) * unit_roundoff * s1};
}

std::uint64_t count_below(std::span<const double> values, double tau) {
  return static_cast<std::uint64_t>(
      std::count_if(values.begin(), values.end(), [&](double s) { return s < tau; }));
}

}  // namespace stemma
