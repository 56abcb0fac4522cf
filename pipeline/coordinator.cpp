// A state machine without communication: what arrived goes in, what to send comes out.
#include "pipeline/coordinator.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "pipeline/patience.hpp"

namespace stemma {
namespace {

constexpr double shortest_batch = 0.1, longest_batch = 10;  // seconds
constexpr std::size_t largest_batch = 256;                  // items
constexpr int shares_left = 4;  // a batch is at most this part of a worker's fair share of what is left

}  // namespace

Coordinator::Coordinator(const Plan& plan, const std::vector<int>& workers, OrderWriter write_orders)
    : plan_(plan), write_orders_(std::move(write_orders)) {
  for (const int rank : workers) workers_.push_back({.rank = rank});
  const std::unordered_set<std::uint32_t> never(plan.infeasible.begin(), plan.infeasible.end());
  for (std::uint32_t i = 0; i < plan.items.size(); ++i) {
    if (never.contains(i)) continue;
    queue_.push_back(i);
    seconds_left_ += plan.items[i].seconds;
  }
}

Coordinator::Worker& Coordinator::worker(int rank) {
  const auto at =
      std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) { return w.rank == rank; });
  if (at == workers_.end()) throw std::logic_error("a message came from a rank that does not work");
  return *at;
}

std::vector<std::uint32_t> Coordinator::next_batch() {
  const double target = std::clamp(seconds_left_ / (shares_left * static_cast<double>(workers_.size())),
                                   shortest_batch, longest_batch);
  std::vector<std::uint32_t> batch;
  double seconds = 0;
  while (next_ < queue_.size() && batch.size() < largest_batch) {
    const double more = plan_.items[queue_[next_]].seconds;
    if (!batch.empty() && seconds + more > target) break;
    seconds += more;
    batch.push_back(queue_[next_++]);
  }
  seconds_left_ -= seconds;
  return batch;
}

bool Coordinator::give(Worker& w, std::vector<Message>& out) {
  try {
    const auto batch = next_batch();
    if (batch.empty()) return false;
    out.push_back({MessageKind::assign, w.rank, write_orders_(batch)});
    ++w.batches;
    return true;
  } catch (...) {
    failure_ = std::current_exception();
    hand_out_no_more();
    return false;
  }
}

void Coordinator::hand_out_no_more() {
  next_ = queue_.size();
  seconds_left_ = 0;
}

void Coordinator::serve(Worker& w, std::vector<Message>& out) {
  if (w.batches == 0 && !give(w, out) && !w.stopped) {
    w.stopped = true;
    ++stopped_;
    out.push_back({MessageKind::stop, w.rank, {}});
    return;
  }
  const double plenty = 2 * shares_left * shortest_batch * static_cast<double>(workers_.size());
  if (w.batches == 1 && seconds_left_ > plenty) give(w, out);
}

std::vector<Message> Coordinator::handle(const Message& message) {
  std::vector<Message> out;
  Worker& w = worker(message.peer);
  switch (message.kind) {
    case MessageKind::hello:
      w.here = true;
      serve(w, out);
      break;
    case MessageKind::idle:
      --w.batches;
      serve(w, out);
      break;
    case MessageKind::result:
      break;
    case MessageKind::failed:
      w.here = true;
      w.batches = 0;
      return stop_all();
    case MessageKind::assign:
    case MessageKind::assign_team:
    case MessageKind::stop:
      throw std::logic_error("a worker sent a message that only the coordinator sends");
  }
  return out;
}

std::vector<Message> Coordinator::stop_all() {
  std::vector<Message> out;
  hand_out_no_more();
  for (Worker& w : workers_) {
    if (!w.here || w.stopped || w.batches > 0) continue;  // the others stop when they report
    w.stopped = true;
    ++stopped_;
    out.push_back({MessageKind::stop, w.rank, {}});
  }
  return out;
}

std::exception_ptr serve(Coordinator& coordinator, Mailbox& mailbox, const ResultSink& sink) {
  std::exception_ptr failure;
  Patience patience(Patience::coordinator);
  while (!coordinator.finished()) {
    const auto message = mailbox.receive();
    if (!message) {
      patience.wait();
      continue;
    }
    patience.reset();
    if (message->kind == MessageKind::result && !failure) {
      try {
        ItemResult result = decode_result(message->payload);
        result.rank = message->peer;
        sink(std::move(result));
      } catch (...) {
        failure = std::current_exception();
        for (Message& out : coordinator.stop_all()) mailbox.send(std::move(out));
      }
    }
    for (Message& out : coordinator.handle(*message)) mailbox.send(std::move(out));
    if (!failure) failure = coordinator.failure();
  }
  return failure;
}

}  // namespace stemma
