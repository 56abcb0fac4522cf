// How large is the largest singular value of a matrix at least?
#include "analyzers/numerics/largest_singular_value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "analyzers/numerics/dot.hpp"

extern "C" void dsterf_(const int* n, double* diagonal, double* off_diagonal, int* info);

namespace stemma {

namespace {

/// SplitMix64 (Steele, Lea, Flood 2014) of a counter: random access, no state.
std::uint64_t mixed(std::uint64_t counter) {
  std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

double largest_eigenvalue(std::vector<double> diagonal, std::vector<double> off_diagonal) {
  const int n = static_cast<int>(diagonal.size());
  int info = 0;
  dsterf_(&n, diagonal.data(), off_diagonal.data(), &info);  // ascending
  return info == 0 ? diagonal.back() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double largest_singular_value_bound(const NormalProduct& product, std::uint64_t cols, double enough,
                                    int steps) {
  std::vector<double> before(cols, 0), now(cols), next(cols);
  for (std::uint64_t i = 0; i < cols; ++i) {
    now[i] = ((mixed(i) & 1U) != 0 ? 1 : -1) / std::sqrt(static_cast<double>(cols));
  }
  std::vector<double> alpha, beta;
  double bound = 0;
  for (int step = 0; step < steps && static_cast<std::uint64_t>(step) < cols; ++step) {
    product(now, next);
    alpha.push_back(dot(now, next));
    if (!std::isfinite(alpha.back())) return std::numeric_limits<double>::quiet_NaN();
    bound = std::sqrt(std::max(0.0, largest_eigenvalue(alpha, beta)));
    if (bound > enough) break;
    for (std::uint64_t i = 0; i < cols; ++i) {
      next[i] -= alpha.back() * now[i] + (beta.empty() ? 0 : beta.back() * before[i]);
    }
    const double length = std::sqrt(dot(next, next));
    if (!(length > 1e-14 * bound * bound)) break;  // invariant subspace: the bound is s1 of what it can see
    beta.push_back(length);
    for (std::uint64_t i = 0; i < cols; ++i) next[i] /= length;
    before.swap(now);
    now.swap(next);
  }
  return bound;
}

}  // namespace stemma
