// A communicator with a grid, its nodes, and the memory that they share.
#include "analyzers/distributed/team.hpp"

#include <algorithm>

#include "analyzers/distributed/unison.hpp"

namespace stemma {
namespace {

constexpr std::size_t broadcast_piece = std::size_t{32} << 20U;  // doubles or bytes: MPI counts in 32 bits

}  // namespace

Team::Team(const Communicator& ranks, Nodes nodes) : Team(ranks, squarest(ranks.size()), nodes) {}

Team::Team(const Communicator& ranks, GridShape shape, Nodes nodes) : ranks_(ranks), grid_(ranks, shape) {
  if (ranks_.handle() == MPI_COMM_NULL) return;
  if (nodes == Nodes::as_they_are) {
    check_mpi(MPI_Comm_split_type(ranks_.handle(), MPI_COMM_TYPE_SHARED, ranks_.rank(), MPI_INFO_NULL,
                                  &node_handle_),
              "MPI_Comm_split_type");
  } else {
    check_mpi(MPI_Comm_split(ranks_.handle(), ranks_.rank(), 0, &node_handle_), "MPI_Comm_split");
  }
  node_ = Communicator(node_handle_);
  const int color = node_.leads() ? 0 : MPI_UNDEFINED;
  check_mpi(MPI_Comm_split(ranks_.handle(), color, ranks_.rank(), &leaders_handle_), "MPI_Comm_split");
  if (node_.leads()) leaders_ = Communicator(leaders_handle_);
  int about[2] = {leaders_.size(), leaders_.rank()};
  check_mpi(MPI_Bcast(about, 2, MPI_INT, 0, node_.handle()), "MPI_Bcast");
  nodes_ = about[0];
  node_number_ = about[1];
}

void Team::release() {
  for (auto& [use, memory] : memory_) memory->release();
  memory_.clear();
  grid_.release();
  if (leaders_handle_ != MPI_COMM_NULL) check_mpi(MPI_Comm_free(&leaders_handle_), "MPI_Comm_free");
  if (node_handle_ != MPI_COMM_NULL) check_mpi(MPI_Comm_free(&node_handle_), "MPI_Comm_free");
}

SharedMemory& Team::shared(Use use, std::size_t bytes) {
  const auto known = memory_.find(use);
  if (known != memory_.end()) {
    if (known->second->bytes().size() >= bytes) return *known->second;
    known->second->release();
    memory_.erase(known);
  }
  std::unique_ptr<SharedMemory> made;
  std::exception_ptr failure;
  try {
    made = std::make_unique<SharedMemory>(node_, bytes);
  } catch (...) {
    failure = std::current_exception();  // the same one on all ranks of this node
  }
  try {
    agree(ranks_, "sharing memory", failure);
  } catch (...) {
    if (made) made->release();
    throw;
  }
  return *memory_.emplace(use, std::move(made)).first->second;
}

void Team::spread_over_nodes(std::span<std::byte> bytes) const {
  if (nodes_ == 1) return;
  if (node_.leads())
    for (std::size_t at = 0; at < bytes.size(); at += broadcast_piece)
      check_mpi(MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(broadcast_piece, bytes.size() - at)),
                          MPI_BYTE, 0, leaders_.handle()),
                "MPI_Bcast");
}

void Team::sum(std::span<double> values) const {
  if (ranks_.size() == 1) return;
  for (std::size_t at = 0; at < values.size(); at += broadcast_piece)
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data() + at,
                            static_cast<int>(std::min(broadcast_piece, values.size() - at)), MPI_DOUBLE,
                            MPI_SUM, ranks_.handle()),
              "MPI_Allreduce");
}

double Team::largest(double value) const {
  if (ranks_.size() == 1) return value;
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, ranks_.handle()), "MPI_Allreduce");
  return value;
}

}  // namespace stemma
