// The inner product, added up from the first element to the last: the same bits everywhere.
#pragma once
#include <numeric>
#include <span>

namespace stemma {

/// sum_i a_i b_i; b is at least as long as a.
inline double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace stemma
