// Rank 0 serves, the others work, and everybody leaves together.
#include "pipeline/work_stage.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "analyzers/distributed/unison.hpp"
#include "pipeline/exit_code.hpp"
#include "pipeline/worker.hpp"

namespace stemma {
namespace {

constexpr int leader = 0;

/// Ends every rank at once. Only for a broken invariant of the program or of MPI, never for bad input.
[[noreturn]] void abort_job(const Communicator& ranks, const char* what) {
  fmt::print(stderr, "stemma: internal error in the work stage on rank {}: {}\n", ranks.rank(), what);
  if (ranks.size() > 1) MPI_Abort(ranks.handle(), static_cast<int>(ExitCode::internal));
  std::_Exit(static_cast<int>(ExitCode::internal));
}

void lead(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input, const ReaderMaker& reader,
          Mailbox* remote) {
  std::vector<int> workers;
  const bool computes = workers_among(ranks.size(), mode) == ranks.size();
  for (int rank = computes ? 0 : 1; rank < ranks.size(); ++rank) workers.push_back(rank);
  Coordinator coordinator(*input.plan, workers, [&](std::span<const std::uint32_t> items) {
    std::vector<WorkOrder> orders;
    for (const std::uint32_t i : items) orders.push_back(input.orders->order(i, input.plan->items[i]));
    return encode(orders);
  });
  Loopback loop = make_loopback();
  ForkedMailbox mailbox(leader, computes ? loop.coordinator.get() : nullptr, remote);
  std::jthread local;
  if (computes) local = std::jthread([&, own = reader()] { work(*loop.worker, leader, *own); });
  try {
    serve(coordinator, mailbox, input.sink);
  } catch (const std::exception& error) {
    if (coordinator.finished()) throw;  // everybody has stopped: a failure that all ranks can share
    abort_job(ranks, error.what());     // workers wait for messages that will never come
  }
}

}  // namespace

void run_work(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input,
              const ReaderMaker& reader) {
  std::unique_ptr<MpiMailbox> remote;
  if (ranks.size() > 1) remote = std::make_unique<MpiMailbox>(ranks);
  in_unison(ranks, "the work stage", [&] {
    if (ranks.leads()) {
      lead(ranks, mode, input, reader, remote.get());
    } else {
      work(*remote, leader, *reader());
    }
    if (remote) remote->flush();
  });
}

}  // namespace stemma
