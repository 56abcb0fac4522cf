// Which tensors of two models are the same bytes?
#pragma once
#include <cstdint>

#include "analyzers/pair_test.hpp"

namespace stemma {

/// Tensors of two models that agree in content key (hash, type, shape), each counted once. What strangers
/// share too is left out, except from `identical`: tensors of few distinct values (masks, fresh gains),
/// integers and booleans (tables of positions), and types of less than 8 bits.
struct ContentMatch {
  std::uint64_t equal_tensors = 0;
  std::uint64_t equal_same_role = 0;  ///< of these, in the same role
  std::uint64_t equal_bytes = 0;
  std::uint64_t tensors_a = 0, tensors_b = 0;  ///< measured and not left out
  std::uint64_t bytes_a = 0, bytes_b = 0;
  std::uint64_t left_out = 0;  ///< tensors of both models
  /// Same roles on both sides, every tensor measured, every pair of one role equal in content key.
  bool identical = false;
  std::uint64_t all_tensors = 0;  ///< tensors of `a`, those left out included

  /// Equal bytes over the bytes of the larger model; NaN when nothing was comparable.
  double share() const;
};
ContentMatch match_content(const Fingerprint& a, const Fingerprint& b);

const PairTest& content_pair_test();

}  // namespace stemma
