// The first ranks of a team, row by row.
#include "analyzers/distributed/process_grid.hpp"

#include <fmt/format.h>

// BLACS has no header.
// NOLINTBEGIN(readability-identifier-naming): its names
extern "C" {
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int* context, const char* order, int rows, int cols);
void Cblacs_gridexit(int context);
}
// NOLINTEND(readability-identifier-naming)

namespace stemma {

ProcessGrid::ProcessGrid(const Communicator& ranks, GridShape shape) : shape_(shape) {
  if (shape.rows < 1 || shape.cols < 1 || shape.size() > ranks.size())
    throw std::invalid_argument(
        fmt::format("a grid of {} x {} does not fit on {} ranks", shape.rows, shape.cols, ranks.size()));
  if (ranks.rank() < shape.size()) {
    row_ = ranks.rank() / shape.cols;
    col_ = ranks.rank() % shape.cols;
  }
  if (ranks.handle() == MPI_COMM_NULL) return;  // a world of one that never started MPI
  members_ = ranks.handle();
  if (shape.size() < ranks.size()) {
    check_mpi(MPI_Comm_split(ranks.handle(), holds() ? 0 : MPI_UNDEFINED, ranks.rank(), &members_),
              "MPI_Comm_split");
    owns_members_ = true;
  }
  if (!holds()) return;
  handle_ = Csys2blacs_handle(members_);
  context_ = handle_;
  Cblacs_gridinit(&context_, "Row-major", shape.rows, shape.cols);
}

void ProcessGrid::release() {
  if (handle_ >= 0) {
    Cblacs_gridexit(context_);
    Cfree_blacs_system_handle(handle_);
    handle_ = context_ = -1;
  }
  if (owns_members_ && members_ != MPI_COMM_NULL) check_mpi(MPI_Comm_free(&members_), "MPI_Comm_free");
}

}  // namespace stemma
