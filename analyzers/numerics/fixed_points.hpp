// How probable are so many fixed points of a matching, if labels mean nothing?
#pragma once
#include <cstdint>

namespace stemma {

// Natural logarithms of tail probabilities P(F >= k) of the number F of fixed points, or of bounds of them.
// All are finite and <= 0: more fixed points than pairs contradict themselves and throw
// std::invalid_argument.

/// Exact, for a uniform permutation of n labels: P(F = j) = d_(n-j) / j! with d_m = sum_{i<=m} (-1)^i / i!
/// (Montmort). Relative error of the logarithm below 1e-14; O(1) time and memory, n included.
double log_fixed_points(std::uint64_t k, std::uint64_t n);

/// P(F >= k) <= 1/k!, whatever the number of labels, and for every partial matching: k given pairs coincide
/// with probability at most (N-k)!/N!, so E C(F,k) <= 1/k!, and 1{F >= k} <= C(F,k).
double log_fixed_points_bound(std::uint64_t k);

/// The same for m matched pairs of units of which N have exchangeable labels, k <= m <= N: C(m,k) (N-k)!/N!.
/// O(k) time; relative error below 1e-14.
double log_matched_points_bound(std::uint64_t k, std::uint64_t pairs, std::uint64_t labels);

/// For coordinates whose signs are exchangeable as well, counting fixed points with positive sign: each given
/// pair has the right sign with probability 1/2, so P(F >= k) <= 1/(2^k k!).
double log_signed_points_bound(std::uint64_t k);

}  // namespace stemma
