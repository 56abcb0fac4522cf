// Which rank of a grid's row or column holds an index of a matrix, and where?
#pragma once
#include <cstdint>

#include "analyzers/numerics/decomposition.hpp"

namespace stemma {

/// Rows (or columns) of a matrix, dealt out block after block to the parts of a grid like cards: block b goes
/// to part b mod parts, as ScaLAPACK's block-cyclic layout with its origin at part 0. Pure arithmetic.
struct DealtAxis {
  std::uint64_t size = 0;
  int parts = 1;
  static constexpr std::uint64_t block = dealt_block;

  /// Indices that a part holds (ScaLAPACK's numroc).
  std::uint64_t local_size(int part) const {
    const std::uint64_t n = static_cast<std::uint64_t>(parts), p = static_cast<std::uint64_t>(part);
    const std::uint64_t whole = size / block, mine = whole / n + (p < whole % n ? 1 : 0);
    return mine * block + (p == whole % n ? size % block : 0);
  }
  int owner_of(std::uint64_t global) const {
    return static_cast<int>(global / block % static_cast<std::uint64_t>(parts));
  }
  /// Where its owner keeps it.
  std::uint64_t local_of(std::uint64_t global) const {
    return global / block / static_cast<std::uint64_t>(parts) * block + global % block;
  }
  std::uint64_t global_of(int part, std::uint64_t local) const {
    const std::uint64_t n = static_cast<std::uint64_t>(parts);
    return (local / block * n + static_cast<std::uint64_t>(part)) * block + local % block;
  }
};

/// Calls use(local, global, length) for every run of neighbours that a part holds, in ascending order. One
/// part alone holds one run.
template <class Use>
void for_each_run(const DealtAxis& axis, int part, const Use& use) {
  const std::uint64_t total = axis.local_size(part), step = axis.parts == 1 ? total : DealtAxis::block;
  for (std::uint64_t local = 0; local < total; local += step)
    use(local, axis.global_of(part, local), step < total - local ? step : total - local);
}

}  // namespace stemma
