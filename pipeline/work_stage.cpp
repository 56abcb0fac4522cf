// Rank 0 serves, the others work, and everybody leaves together, whoever fails.
#include "pipeline/work_stage.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <system_error>
#include <thread>

#include "analyzers/distributed/unison.hpp"
#include "pipeline/exit_code.hpp"
#include "pipeline/worker.hpp"

namespace stemma {
namespace {

constexpr int leader = 0;

/// Ends every rank at once. Only when ranks cannot talk to each other any more, or those that compute hear
/// nothing; never for bad input.
[[noreturn]] void abort_job(const Communicator& ranks, ExitCode code) {
  if (ranks.size() > 1) MPI_Abort(ranks.handle(), static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

[[noreturn]] void abort_job(const Communicator& ranks, const char* what) {
  fmt::print(stderr, "stemma: internal error in the work stage on rank {}: {}\n", ranks.rank(), what);
  abort_job(ranks, ExitCode::internal);
}

/// One rank's part of a conversation; its failure is returned, and what it throws ends the job.
template <class Talk>
std::exception_ptr talk(const Communicator& ranks, Talk&& part) {
  try {
    return part();
  } catch (const std::exception& error) {
    abort_job(ranks, error.what());
  } catch (...) {
    abort_job(ranks, "something that is no exception was thrown");
  }
}

/// Everything that may fail before the first message is made here, in unison.
class Conversation {
 public:
  Conversation(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input,
               const ReaderMaker& reader, Teams& teams)
      : ranks_(ranks), teams_(teams), input_(input) {
    const bool computes = !ranks.leads() || workers_among(ranks.size(), mode) == ranks.size();
    if (computes) reader_ = reader();
    if (ranks.size() > 1) remote_ = std::make_unique<MpiMailbox>(ranks);
    if (!ranks.leads()) return;
    coordinator_.emplace(*input.plan, input.plan->machine, input.orders, input.team_orders);
    coordinator_->show_in(input.under_way);
    if (computes) loop_ = make_loopback();
  }

  std::exception_ptr hold() {
    std::exception_ptr failure = ranks_.leads() ? lead() : work(*remote_, leader, *reader_, &teams_);
    if (remote_) remote_->flush();
    return failure;
  }

 private:
  std::exception_ptr lead() {
    std::exception_ptr own;  // written by the local worker, read when it has ended
    std::jthread local;
    if (reader_) {
      try {
        local = std::jthread(
            [&] { own = talk(ranks_, [&] { return work(*loop_.worker, leader, *reader_, nullptr); }); });
      } catch (const std::system_error&) {
        own = std::current_exception();
        loop_.worker->send({MessageKind::failed, leader, {}});
      }
    }
    ForkedMailbox mailbox(leader, loop_.coordinator.get(), remote_.get());
    // Aborts before the local thread is waited for: it would wait for its stop.
    const std::exception_ptr failure = talk(ranks_, [&] { return serve_in_time(mailbox); });
    if (local.joinable()) local.join();
    if (input_.occupied_seconds) *input_.occupied_seconds += coordinator_->occupied_seconds();
    return failure ? failure : own;
  }

  std::exception_ptr serve_in_time(Mailbox& mailbox) {
    try {
      return serve(*coordinator_, mailbox, input_.sink, input_.limit, input_.contents, input_.now_and_then);
    } catch (const OutOfTime&) {
      if (input_.last_words) input_.last_words();
      abort_job(ranks_, ExitCode::stopped);
    }
  }

  Communicator ranks_;
  Teams& teams_;
  const WorkInput& input_;
  std::unique_ptr<ByteReader> reader_;  ///< null where rank 0 does not compute
  std::unique_ptr<MpiMailbox> remote_;  ///< null in a world of one
  Loopback loop_;
  std::optional<Coordinator> coordinator_;
};

}  // namespace

void run_work(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input,
              const ReaderMaker& reader) {
  std::optional<Conversation> conversation;
  Teams teams(ranks);
  std::exception_ptr unprepared, failure;
  try {
    in_unison(ranks, "preparing the work stage",
              [&] { conversation.emplace(ranks, mode, input, reader, teams); });
  } catch (...) {
    unprepared = std::current_exception();  // of all ranks
  }
  if (!unprepared) failure = talk(ranks, [&] { return conversation->hold(); });
  teams.release();
  if (unprepared) std::rethrow_exception(unprepared);
  agree(ranks, "the work stage", failure);
}

}  // namespace stemma
