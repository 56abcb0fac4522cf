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
#include "pipeline/time_limit.hpp"
#include "pipeline/under_way.hpp"

namespace stemma {

/// The protocol of the work stage as a state machine: messages in, messages out; it knows no MPI, no disk and
/// no clock but the one it is given, so it is tested at any number of ranks without starting one.
///
/// Who gets what is the Scheduler's business; here its decisions become messages, and what workers report
/// becomes free slots. A worker holds at most two batches: while it works on one the next is already there.
/// A team's item goes to each of its members, all of whom have reported that they hold nothing, so they all
/// come to the same place; each says idle when it is through.
class Coordinator {
 public:
  /// Bytes of the work orders for these items.
  using OrderWriter = std::function<std::vector<std::byte>(std::span<const std::uint32_t> items)>;
  /// Bytes of the order for one item that a team does: what each of its members gets. `block` names the
  /// team: the same members always have the same block, and no two teams that share a rank have one in
  /// common. `members` are ranks, ascending; the first one leads and sends the result.
  using TeamOrderWriter =
      std::function<std::vector<std::byte>(std::uint32_t item, int block, std::span<const int> members)>;

  /// Seconds since some moment, never going back.
  using Clock = std::function<double()>;

  /// `machine` tells which ranks work and which may be teams; `plan` must outlive the coordinator. Infeasible
  /// items of the plan are never handed out. Throws std::logic_error for an item whose width no team has, or
  /// a wide item without a writer of team orders.
  Coordinator(const Plan& plan, const MachineLayout& machine, OrderWriter write_orders,
              TeamOrderWriter write_team_order = {}, Clock clock = steady_seconds);
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Takes one message; returns what is to be sent. A result's payload is the caller's business. When a
  /// worker failed or the order writer throws, no more work is handed out, and everybody is stopped who holds
  /// none.
  std::vector<Message> handle(const Message& message);

  /// An item took so long: later predictions of items of its kind follow.
  void learn(std::uint32_t item, double seconds) { scheduler_.learn(item, seconds); }

  /// From now on whoever looks there sees what is handed out; results are told by whoever takes them.
  void show_in(UnderWay* under_way) { under_way_ = under_way; }

  /// Nothing is handed out any more that should not have ended by then, in seconds from now. Returns the
  /// stops of those for whom nothing is left.
  std::vector<Message> end_within(double seconds);

  /// Stops everybody who was not stopped yet: after this no work is handed out.
  std::vector<Message> stop_all();

  /// Every worker was told to stop.
  bool finished() const { return stopped_ == machine_.workers(); }
  std::size_t handed_out() const { return scheduler_.handed_out(); }
  /// Rank-seconds from the sending of an assignment to a rank that had none until it had none again: what
  /// ranks spent on work, on messages about it, and on waiting for the others of their team.
  double occupied_seconds() const { return occupied_seconds_; }
  /// What the order writer threw, if it did.
  const std::exception_ptr& failure() const { return failure_; }

 private:
  struct Worker {
    int assignments = 0;  ///< outstanding
    double since = 0;     ///< when it got the first of them
    bool here = false, stopped = false;
  };
  static double steady_seconds();
  void hand_out(std::vector<Message>& out);
  void send(const Assignment& assignment, double now, std::vector<Message>& out);
  void stop(int slot, std::vector<Message>& out);
  void stop_the_idle(std::vector<Message>& out);

  MachineLayout machine_;
  std::vector<Task> tasks_;
  Scheduler scheduler_;
  OrderWriter write_orders_;
  TeamOrderWriter write_team_order_;
  Clock clock_;
  std::vector<Worker> workers_;  ///< by slot
  int stopped_ = 0;
  double occupied_seconds_ = 0;
  std::exception_ptr failure_;
  UnderWay* under_way_ = nullptr;  ///< where wanted
};

/// Called on rank 0 for every item that ends, in any order, from the thread that serves.
using ResultSink = std::function<void(ItemResult)>;

/// Called on rank 0 when an item asks for contents; says for each whether its result is there or on its way.
using ContentBook = std::function<std::vector<std::uint8_t>(std::span<const Hash128> contents)>;

/// Runs the coordinator until every worker has stopped. Sleeps when there is nothing to do. With a `limit`
/// no work is handed out that would end too late; throws OutOfTime when it is over and somebody still works,
/// who cannot be told. `now_and_then` is called while there is nothing to do. When `sink`
/// throws (the disk is full), or a result or an order cannot be read or written, the workers are stopped,
/// their last results are dropped, and the exception is returned; nothing when all went well on this rank.
/// When a worker failed, everybody is stopped and all results that still come reach the sink. Throws only
/// when a worker cannot be told.
std::exception_ptr serve(Coordinator& coordinator, Mailbox& mailbox, const ResultSink& sink,
                         const TimeLimit* limit = nullptr, const ContentBook& contents = {},
                         const std::function<void()>& now_and_then = {});

/// The time is over, and not everybody has stopped.
class OutOfTime : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace stemma
