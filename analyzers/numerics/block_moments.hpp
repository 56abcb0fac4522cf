// How are moments of a stream of doubles found without holding the tensor and without caring how it is cut?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/histogram_parts.hpp"

namespace stemma {

/// Central sums of the union of two sets (Chan, Golub, LeVeque 1979; orders 3 and 4: Pebay, SAND2008-6212).
CentralSums merged(const CentralSums& a, const CentralSums& b);

/// Central sums of finite values held in memory: two passes, sums over fixed groups of 1,024 elements.
CentralSums two_pass(std::span<const double> values);

/// The block rule: blocks of 2^20 elements by flat index, two passes inside each block, blocks merged
/// pairwise in a fixed binary tree over block numbers. A stack of finished subtrees, like the digits of a
/// binary counter, gives that tree while the stream goes by, so the bits do not depend on how the stream is
/// cut. Elements that are not finite are left out of the sums, but keep their index.
class BlockMoments {
 public:
  static constexpr std::size_t block_elements = std::size_t{1} << 20;
  void add(std::span<const double> values);
  CentralSums finish();

 private:
  void close_block();

  struct Subtree {
    unsigned height;
    CentralSums sums;
  };
  std::vector<double> finite_;  ///< finite values of the open block
  std::size_t filled_ = 0;      ///< elements of the open block, finite or not
  std::vector<Subtree> stack_;
};

}  // namespace stemma
