// How is the world of a test cut into teams and grids?
#pragma once
#include <string>
#include <vector>

#include "tests/harness/mpi_world.hpp"

namespace stemma::test {

/// One way to arrange ranks: rows x cols of a grid, on a team of the world.
struct GridShape {
  int rows = 1, cols = 1;
  std::string name() const { return std::to_string(rows) + "x" + std::to_string(cols); }
};

/// Every factorisation of the world's size: 2x2, 1x4 and 4x1 for four ranks.
inline std::vector<GridShape> grid_shapes(int ranks) {
  std::vector<GridShape> shapes;
  for (int rows = 1; rows <= ranks; ++rows)
    if (ranks % rows == 0) shapes.push_back({rows, ranks / rows});
  return shapes;
}

/// A communicator that lives as long as a test needs it. Collective over `parent`, also at its end.
class Team {
 public:
  Team(const Communicator& parent, int color) {
    if (parent.size() == 1) return;
    check_mpi(MPI_Comm_split(parent.handle(), color, parent.rank(), &comm_), "MPI_Comm_split");
    ranks_ = Communicator(comm_);
  }
  ~Team() {
    if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  const Communicator& ranks() const { return ranks_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  Communicator ranks_;
};

/// Colours that cut four ranks 2 + 1 + 1 and leave fewer ranks in teams of one.
inline int uneven_color(int rank, int ranks) { return ranks < 4 ? rank : rank < 2 ? 0 : rank; }

}  // namespace stemma::test
