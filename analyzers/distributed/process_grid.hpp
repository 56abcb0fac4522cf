// Which row and column of a grid does this rank hold, and which BLACS context speaks for the grid?
#pragma once
#include "analyzers/distributed/communicator.hpp"
#include "analyzers/numerics/grid_shape.hpp"

namespace stemma {

/// The first rows x cols ranks of a team as a grid, row by row. Ranks beyond it hold nothing. The context is
/// a number of BLACS, of which a process has few: make grids once and use them often.
class ProcessGrid {
 public:
  /// Collective over `ranks`. Throws std::invalid_argument when the grid has more places than ranks.
  ProcessGrid(const Communicator& ranks, GridShape shape);
  ProcessGrid(const ProcessGrid&) = delete;
  ProcessGrid& operator=(const ProcessGrid&) = delete;
  ~ProcessGrid() = default;  // no destructor communicates: release

  /// Collective: gives the context back. The grid must not be used afterwards.
  void release();

  GridShape shape() const { return shape_; }
  bool holds() const { return row_ >= 0; }  ///< whether this rank has a place
  int row() const { return row_; }
  int col() const { return col_; }
  int context() const { return context_; }
  /// The ranks that have a place.
  MPI_Comm members() const { return members_; }

 private:
  GridShape shape_;
  int row_ = -1, col_ = -1;
  int handle_ = -1;  ///< BLACS's number of the communicator
  int context_ = -1;
  MPI_Comm members_ = MPI_COMM_NULL;
  bool owns_members_ = false;
};

}  // namespace stemma
