// How are the ranks of a team arranged in rows and columns?
#pragma once
#include <stdexcept>

namespace stemma {

struct GridShape {
  int rows = 1;
  int cols = 1;
  int size() const { return rows * cols; }
  bool operator==(const GridShape&) const = default;
};

/// The squarest grid of at most `ranks` ranks: rows <= cols <= 2 rows, as many ranks as that allows (12 of
/// 13). Two-dimensional solvers lose much on long grids, and more than on a rank or two that stays idle.
constexpr GridShape squarest(int ranks) {
  if (ranks < 1) throw std::invalid_argument("a grid needs a rank");
  for (int size = ranks;; --size)
    for (int rows = 1; rows * rows <= size; ++rows)
      if (size % rows == 0 && size / rows <= 2 * rows) {
        int best = rows;
        for (int more = rows; more * more <= size; ++more)
          if (size % more == 0) best = more;
        return {best, size / best};
      }
}

}  // namespace stemma
