// Who gets the next piece of work?
#pragma once
#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include "pipeline/mailbox.hpp"
#include "pipeline/message.hpp"
#include "pipeline/perform.hpp"
#include "pipeline/plan.hpp"

namespace stemma {

/// The protocol of the work stage as a state machine: messages in, messages out; it knows no MPI, no clock
/// and no disk, so it is tested at any number of ranks without starting one.
///
/// Items are handed out on demand in the order of the plan, in batches that shrink as the work runs out. A
/// worker holds at most two batches: while it works on one the next is already there, which hides the
/// coordinator's latency. The second one is given only while so much work is left that nobody will wait for
/// it at the end.
class Coordinator {
 public:
  /// Bytes of the work orders for these items.
  using OrderWriter = std::function<std::vector<std::byte>(std::span<const std::uint32_t> items)>;
  /// Bytes of the order for one item that a team does: what each of its members gets. `block` names the
  /// team: the same members always have the same block, and no two teams that share a rank have one in
  /// common. `members` are ranks, ascending; the first one leads and sends the result.
  using TeamOrderWriter = std::function<std::vector<std::byte>(std::uint32_t item, int block,
                                                               std::span<const int> members)>;

  /// `workers` are ranks. Infeasible items of the plan are never handed out.
  Coordinator(const Plan& plan, const std::vector<int>& workers, OrderWriter write_orders);

  /// Takes one message; returns what is to be sent. A result's payload is the caller's business. When a
  /// worker failed or the order writer throws, no more work is handed out, and everybody is stopped who holds
  /// none.
  std::vector<Message> handle(const Message& message);

  /// Stops everybody who was not stopped yet: after this no work is handed out.
  std::vector<Message> stop_all();

  /// Every worker was told to stop.
  bool finished() const { return stopped_ == workers_.size(); }
  std::size_t handed_out() const { return next_; }
  /// What the order writer threw, if it did.
  const std::exception_ptr& failure() const { return failure_; }

 private:
  struct Worker {
    int rank = 0;
    int batches = 0;  ///< outstanding
    bool here = false, stopped = false;
  };
  Worker& worker(int rank);
  std::vector<std::uint32_t> next_batch();
  bool give(Worker& worker, std::vector<Message>& out);
  void hand_out_no_more();
  void serve(Worker& worker, std::vector<Message>& out);

  const Plan& plan_;
  std::vector<Worker> workers_;
  OrderWriter write_orders_;
  std::vector<std::uint32_t> queue_;  ///< feasible items, longest first
  std::size_t next_ = 0;              ///< into queue_
  double seconds_left_ = 0;           ///< predicted, of what was not handed out
  std::size_t stopped_ = 0;
  std::exception_ptr failure_;
};

/// Called on rank 0 for every item that ends, in any order, from the thread that serves.
using ResultSink = std::function<void(ItemResult)>;

/// Runs the coordinator until every worker has stopped. Sleeps when there is nothing to do. When `sink`
/// throws (the disk is full), or a result or an order cannot be read or written, the workers are stopped,
/// their last results are dropped, and the exception is returned; nothing when all went well on this rank.
/// When a worker failed, everybody is stopped and all results that still come reach the sink. Throws only
/// when a worker cannot be told.
std::exception_ptr serve(Coordinator& coordinator, Mailbox& mailbox, const ResultSink& sink);

}  // namespace stemma
