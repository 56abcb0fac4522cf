// A state machine without communication: what arrived goes in, what to send comes out.
#include "pipeline/coordinator.hpp"

#include <chrono>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pipeline/patience.hpp"
#include "pipeline/stop_signal.hpp"

namespace stemma {

double Coordinator::steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Coordinator::Coordinator(const Plan& plan, const MachineLayout& machine, OrderWriter write_orders,
                         TeamOrderWriter write_team_order, Clock clock)
    : machine_(machine),
      tasks_(tasks_of(plan, machine)),
      scheduler_(machine_, tasks_),
      write_orders_(std::move(write_orders)),
      write_team_order_(std::move(write_team_order)),
      clock_(std::move(clock)),
      workers_(static_cast<std::size_t>(machine.slots())) {
  for (const Task& task : tasks_)
    if (task.feasible && task.level > 0 && !write_team_order_)
      throw std::logic_error("the plan has an item for a team, and nobody writes orders for teams");
}

void Coordinator::send(const Assignment& assignment, double now, std::vector<Message>& out) {
  const Block block = machine_.block_of(assignment.block);
  const std::vector<int> members = machine_.ranks_in(block);
  const bool team = block.level > 0;
  const std::vector<std::byte> order =
      team ? write_team_order_(assignment.items.front(), assignment.block, members)
           : write_orders_(assignment.items);
  if (under_way_ && team) under_way_->send_to_team(members, assignment.items.front());
  if (under_way_ && !team) under_way_->send(members.front(), assignment.items);
  for (const int rank : members) {
    out.push_back({team ? MessageKind::assign_team : MessageKind::assign, rank, order});
    Worker& w = workers_[static_cast<std::size_t>(machine_.slot_of(rank))];
    if (w.assignments++ == 0) w.since = now;
  }
}

void Coordinator::hand_out(std::vector<Message>& out) {
  try {
    const double now = clock_();
    for (const Assignment& assignment : scheduler_.assign(now)) send(assignment, now, out);
  } catch (...) {
    failure_ = std::current_exception();
    scheduler_.hand_out_no_more();
  }
}

void Coordinator::stop(int slot, std::vector<Message>& out) {
  Worker& w = workers_[static_cast<std::size_t>(slot)];
  if (!w.here || w.stopped || w.assignments > 0) return;  // the others stop when they report
  w.stopped = true;
  ++stopped_;
  out.push_back({MessageKind::stop, machine_.rank_of(slot), {}});
}

void Coordinator::stop_the_idle(std::vector<Message>& out) {
  for (int slot = 0; slot < machine_.slots(); ++slot) stop(slot, out);
}

std::vector<Message> Coordinator::handle(const Message& message) {
  std::vector<Message> out;
  const int slot = machine_.slot_of(message.peer);
  if (slot < 0) throw std::logic_error("a message came from a rank that does not work");
  Worker& w = workers_[static_cast<std::size_t>(slot)];
  switch (message.kind) {
    case MessageKind::hello:
      w.here = true;
      break;
    case MessageKind::idle:
      if (w.assignments == 0) throw std::logic_error("a worker ended what it was not given");
      if (under_way_) under_way_->end_batch(message.peer);
      if (--w.assignments == 0) occupied_seconds_ += clock_() - w.since;
      break;
    case MessageKind::result:
    case MessageKind::asked:
    case MessageKind::query:
      return out;
    case MessageKind::failed:
      w.here = true;
      w.assignments = 0;
      return stop_all();
    case MessageKind::assign:
    case MessageKind::assign_team:
    case MessageKind::stop:
    case MessageKind::answer:
      throw std::logic_error("a worker sent a message that only the coordinator sends");
  }
  const bool was_all = scheduler_.handed_out_all();
  if (!was_all) {
    scheduler_.release(slot);
    hand_out(out);
  }
  if (was_all) {
    stop(slot, out);
  } else if (scheduler_.handed_out_all()) {
    stop_the_idle(out);  // some may have waited for a team that another block became
  }
  return out;
}

std::vector<Message> Coordinator::end_within(double seconds) {
  std::vector<Message> out;
  if (scheduler_.handed_out_all()) return out;
  scheduler_.end_by(clock_() + seconds);
  hand_out(out);
  if (scheduler_.handed_out_all()) stop_the_idle(out);
  return out;
}

std::vector<Message> Coordinator::stop_all() {
  std::vector<Message> out;
  scheduler_.hand_out_no_more();
  stop_the_idle(out);
  return out;
}

namespace {

/// A byte for each content of the query. Who is not told that a result is there measures it.
std::vector<std::byte> answer_to(const Message& query, const ContentBook& contents) {
  std::vector<Hash128> asked(query.payload.size() / sizeof(Hash128));
  if (!asked.empty()) std::memcpy(asked.data(), query.payload.data(), asked.size() * sizeof(Hash128));
  std::vector<std::uint8_t> answer(asked.size(), 0);
  try {
    if (contents) answer = contents(asked);
  } catch (const std::exception&) {
    answer.assign(asked.size(), 0);
  }
  const auto bytes = std::as_bytes(std::span(answer));
  return {bytes.begin(), bytes.end()};
}

/// What a call threw; then nothing more is handed out.
std::exception_ptr failure_of(const std::function<void()>& call, Coordinator& coordinator, Mailbox& mailbox) {
  try {
    call();
    return nullptr;
  } catch (...) {
    for (Message& out : coordinator.stop_all()) mailbox.send(std::move(out));
    return std::current_exception();
  }
}

void keep_to(const TimeLimit& limit, Coordinator& coordinator, Mailbox& mailbox) {
  if (TimeLimit::over()) throw OutOfTime("items that still run are given up");
  const double left = limit.seconds_left();
  if (left == std::numeric_limits<double>::infinity()) return;
  for (Message& out : coordinator.end_within(left)) mailbox.send(std::move(out));
}

}  // namespace

std::exception_ptr serve(Coordinator& coordinator, Mailbox& mailbox, const ResultSink& sink,
                         const TimeLimit* limit, const ContentBook& contents,
                         const std::function<void()>& now_and_then) {
  std::exception_ptr failure;
  Patience patience(Patience::coordinator);
  while (!coordinator.finished()) {
    if (limit) keep_to(*limit, coordinator, mailbox);
    const auto message = mailbox.receive();
    if (!message) {
      if (now_and_then && !failure) failure = failure_of(now_and_then, coordinator, mailbox);
      patience.wait();
      continue;
    }
    patience.reset();
    if (message->kind == MessageKind::asked) {
      pass_on_wish(wish_in(*message));
      continue;
    }
    if (message->kind == MessageKind::query) {
      // Whoever asks waits, so there is an answer whatever happens.
      mailbox.send(
          {MessageKind::answer, message->peer, answer_to(*message, failure ? ContentBook() : contents)});
      continue;
    }
    if (message->kind == MessageKind::result && !failure) {
      const auto take = [&] {
        ItemResult result = decode_result(message->payload);
        result.rank = message->peer;
        coordinator.learn(result.item, result.seconds);
        sink(std::move(result));
      };
      failure = failure_of(take, coordinator, mailbox);
    }
    for (Message& out : coordinator.handle(*message)) mailbox.send(std::move(out));
    if (!failure) failure = coordinator.failure();
  }
  return failure ? failure : coordinator.failure();
}

}  // namespace stemma
