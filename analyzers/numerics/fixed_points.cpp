// How probable are so many fixed points of a matching, if labels mean nothing?
#include "analyzers/numerics/fixed_points.hpp"

#include <array>
#include <stdexcept>

#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

namespace {

constexpr double log_of_two = 0.69314718055994530942;

// The share of permutations of m without a fixed point; from 20 on it is 1/e to the last bit.
constexpr auto derangement_shares = [] {
  std::array<double, 21> out{1};
  for (std::size_t m = 1; m < out.size(); ++m) {
    // D_m = m D_(m-1) + (-1)^m, in integers: 20! has 62 bits.
    std::uint64_t count = 1, all = 1;
    for (std::uint64_t i = 1; i <= m; ++i) {
      count = i % 2 == 0 ? i * count + 1 : i * count - 1;
      all *= i;
    }
    out[m] = static_cast<double>(count) / static_cast<double>(all);
  }
  return out;
}();

double derangement_share(std::uint64_t m) {
  return derangement_shares[m < derangement_shares.size() ? m : derangement_shares.size() - 1];
}

}  // namespace

double log_fixed_points(std::uint64_t k, std::uint64_t n) {
  if (k > n) throw std::invalid_argument("more fixed points than labels");
  if (k == 0) return 0;
  // k! P(F >= k) = sum over j >= k of d_(n-j) k!/j!: after twenty terms, below 1e-18 of the sum, which is at
  // least 1/n for k = n - 1 and near 1/e elsewhere.
  double sum = 0, weight = 1;
  for (std::uint64_t j = k; j <= n && j < k + 25; ++j) {
    if (j > k) weight /= static_cast<double>(j);
    sum += derangement_share(n - j) * weight;
  }
  return portable_log(sum) - log_factorial(k);
}

double log_fixed_points_bound(std::uint64_t k) { return -log_factorial(k); }

double log_matched_points_bound(std::uint64_t k, std::uint64_t pairs, std::uint64_t labels) {
  if (k > pairs || pairs > labels)
    throw std::invalid_argument("fixed points, pairs and labels contradict each other");
  // C(m,k) (N-k)!/N! = 1/k! prod (m-i)/(N-i): all factors are at most 1, so nothing cancels.
  double log_p = 0, product = 1;
  for (std::uint64_t i = 0; i < k; ++i) {
    product *= static_cast<double>(pairs - i) / static_cast<double>(labels - i);
    if (product < 1e-250) {
      log_p += portable_log(product);
      product = 1;
    }
  }
  return log_p + portable_log(product) - log_factorial(k);
}

double log_signed_points_bound(std::uint64_t k) {
  return -log_factorial(k) - static_cast<double>(k) * log_of_two;
}

}  // namespace stemma
