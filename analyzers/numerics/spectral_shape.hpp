// What shape does a spectrum have?
#pragma once
#include <cstdint>
#include <limits>
#include <span>

namespace stemma {

/// Numbers of a spectrum that do not depend on its scale; NaN where they do not exist. With p = s_i / sum s
/// and L = s^2, descending:
///   stable_rank          sum s^2 / s1^2                        square Gaussian matrices: k/4
///   entropy              - sum p ln p, in nats
///   effective_rank       exp(entropy)                          0.805 k   (Roy, Vetterli, EUSIPCO 2007)
///   energy_rank          exp(- sum q ln q), q = L / sum L      exp(-1/2) k
///   participation_ratio  (sum L)^2 / sum L^2                   k/2
///   tail_exponent        1 + h / sum_{i<=h} ln(L_i / L_{h+1}), h = floor(k/2): Hill's estimator    2.12
///   condition            s1 / sk when sk >= tau: below it the quotient would measure rounding
struct SpectralShape {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double stable_rank = none, effective_rank = none, entropy = none, energy_rank = none,
         participation_ratio = none, tail_exponent = none, condition = none;
};

/// `values` descending. A zero spectrum has no shape. The tail exponent wants L_{h+1} at least tau^2, and two
/// values that differ.
SpectralShape shape_of(std::span<const double> values, double tau);

}  // namespace stemma
