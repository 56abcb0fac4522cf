// How much can one coordinator do, and what does it cost while nobody speaks?
//   mpirun -n 2 bench_coordinator [seconds = 0.5] [ranks = 16384]
//
// Between two ranks, 64 bytes a message: requests answered each second by a loop that spins, by serve with
// one worker (which sleeps whenever nothing waits) and by serve with 512 workers that one rank plays (so that
// something always waits); how long an answer takes when serve had slept for a while. The processor time of
// serve while its only worker is at work. And on rank 0 alone, in processor time: the state machine over a
// whole run of short items on `ranks` ranks, writing orders, and taking results to the log on disk. From
// these the share of the run in which that coordinator is busy. Prints JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <queue>
#include <thread>
#include <tuple>

#include "analyzers/distributed/world.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/coordinator.hpp"
#include "pipeline/patience.hpp"
#include "pipeline/result_store.hpp"
#include "pipeline/simulation.hpp"
#include "pipeline/work_stage.hpp"
#include "tests/pipeline/book_orders.hpp"
#include "tests/pipeline/fake_models.hpp"
#include "tests/pipeline/llama_models.hpp"

namespace stemma {
namespace {

constexpr std::size_t payload_bytes = 64;
constexpr int repeats = 5;
constexpr int many_workers = 512;

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<std::byte> payload_from(int rank) {
  std::vector<std::byte> payload(payload_bytes);
  std::memcpy(payload.data(), &rank, sizeof rank);
  return payload;
}

int rank_in(const Message& message) {
  int rank = 0;
  std::memcpy(&rank, message.payload.data(), sizeof rank);
  return rank;
}

Message spin(Mailbox& mailbox) {
  for (;;)
    if (auto message = mailbox.receive()) return std::move(*message);
}

/// The other end in one rank's mailbox stands for many ranks: their numbers travel in the payload.
class Crowd final : public Mailbox {
 public:
  explicit Crowd(Mailbox& one) : one_(one) {}
  void send(Message message) override { one_.send({message.kind, 1, payload_from(message.peer)}); }
  std::optional<Message> receive() override {
    auto message = one_.receive();
    if (message) message->peer = rank_in(*message);
    return message;
  }

 private:
  Mailbox& one_;
};

Plan plan_of(std::size_t items, double seconds, const MachineLayout& machine) {
  Plan plan;
  plan.machine = machine;
  plan.items.assign(items, {.seconds = seconds});
  return plan;
}

/// Workers 1 to n beside a coordinator that does not compute.
MachineLayout workers(int n) { return MachineLayout::uniform(n + 1, n + 1, CoordinatorMode::dedicated); }

/// Rank 1's part: `n` workers that end at once whatever they get.
void answer_at_once(Mailbox& mailbox, int n) {
  for (int w = 1; w <= n; ++w) mailbox.send({MessageKind::hello, 0, payload_from(w)});
  for (int stopped = 0; stopped < n;) {
    const Message message = spin(mailbox);
    if (message.kind == MessageKind::stop) {
      ++stopped;
    } else {
      mailbox.send({MessageKind::idle, 0, payload_from(rank_in(message))});
    }
  }
}

/// Collective. Requests each second; the best of some repeats, because neighbours take the cores away.
template <class Lead, class Follow>
double best_rate(const Communicator& ranks, std::size_t requests, Lead lead, Follow follow) {
  double best = 0;
  for (int r = 0; r < repeats; ++r) {
    MpiMailbox mailbox(ranks);
    ranks.all_reduce_min(0);
    const Stopwatch watch;
    ranks.leads() ? lead(mailbox) : follow(mailbox);
    mailbox.flush();
    best = std::max(best, static_cast<double>(requests) / watch.seconds());
    ranks.all_reduce_min(0);
  }
  return best;
}

double spinning_rate(const Communicator& ranks, std::size_t requests) {
  return best_rate(
      ranks, requests,
      [&](Mailbox& mailbox) {
        for (std::size_t i = 0; i < requests; ++i) {
          spin(mailbox);
          mailbox.send({MessageKind::assign, 1, payload_from(1)});
        }
      },
      [&](Mailbox& mailbox) {
        for (std::size_t i = 0; i < requests; ++i) {
          mailbox.send({MessageKind::idle, 0, payload_from(1)});
          spin(mailbox);
        }
      });
}

double serving_rate(const Communicator& ranks, int n, std::size_t requests) {
  const auto machine = workers(n);
  const Plan plan = plan_of(requests, 1000, machine);  // so long that each is a batch of its own
  return best_rate(
      ranks, requests,
      [&](Mailbox& mailbox) {
        Coordinator coordinator(plan, machine, [](auto) { return payload_from(0); });
        Crowd crowd(mailbox);
        serve(coordinator, crowd, [](const ItemResult&) {});
      },
      [&](Mailbox& mailbox) { answer_at_once(mailbox, n); });
}

/// Collective. Seconds until a request is answered by a serve that had nothing to do for a while: the
/// median, because neighbours take the cores away.
double reply_after_a_pause(const Communicator& ranks) {
  constexpr int conversations = 10, items = 7;
  const auto machine = workers(1);
  const Plan plan = plan_of(items, 0.11, machine);  // each a batch, and all too little to send one ahead
  std::vector<double> waited;
  for (int c = 0; c < conversations; ++c) {
    MpiMailbox mailbox(ranks);
    if (ranks.leads()) {
      Coordinator coordinator(plan, machine, [](auto) { return payload_from(1); });
      serve(coordinator, mailbox, [](const ItemResult&) {});
    } else {
      mailbox.send({MessageKind::hello, 0, payload_from(1)});
      spin(mailbox);
      for (int i = 0; i < items; ++i) {  // the last answer is the stop
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const Stopwatch watch;
        mailbox.send({MessageKind::idle, 0, payload_from(1)});
        spin(mailbox);
        waited.push_back(watch.seconds());
      }
    }
    mailbox.flush();
    ranks.all_reduce_min(0);
  }
  std::sort(waited.begin(), waited.end());
  return ranks.all_reduce_sum(waited.empty() ? 0 : waited[waited.size() / 2]);
}

/// Collective. Processor time of rank 0 over time, while its only worker has a long item.
double idle_share(const Communicator& ranks, double seconds) {
  MpiMailbox mailbox(ranks);
  const auto machine = workers(1);
  const Plan plan = plan_of(1, seconds, machine);
  ranks.all_reduce_min(0);
  const Stopwatch watch;
  const double before = processor_seconds();
  if (ranks.leads()) {
    Coordinator coordinator(plan, machine, [](auto) { return payload_from(1); });
    serve(coordinator, mailbox, [](const ItemResult&) {});
  } else {
    mailbox.send({MessageKind::hello, 0, {}});
    spin(mailbox);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    mailbox.send({MessageKind::idle, 0, {}});
    spin(mailbox);
  }
  const double share = (processor_seconds() - before) / watch.seconds();
  mailbox.flush();
  ranks.all_reduce_min(0);
  return share;
}

/// What a coordinator was told, and when.
struct Told {
  std::vector<Message> messages;
  std::vector<std::uint32_t> items;  ///< of results
  std::vector<double> at;
  double makespan = 0;
  std::size_t reports = 0, results = 0;
};

std::vector<std::byte> numbers(std::span<const std::uint32_t> items) {
  const auto bytes = std::as_bytes(items);
  return {bytes.begin(), bytes.end()};
}

/// Plays a run of narrow items in simulated time; each takes its prediction times its factor.
Told told_in(const Plan& plan, std::span<const double> factors) {
  struct Event {
    double at;
    MessageKind kind;
    int rank;
    std::uint32_t item;
    bool operator>(const Event& o) const { return std::tie(at, kind) > std::tie(o.at, o.kind); }
  };
  Told told;
  double now = 0;
  Coordinator coordinator(plan, plan.machine, numbers, {}, [&] { return now; });
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  std::vector<double> free_at(static_cast<std::size_t>(plan.machine.ranks()), 0);
  for (int rank = 1; rank < plan.machine.ranks(); ++rank) events.push({0, MessageKind::hello, rank, 0});
  for (; !events.empty(); events.pop()) {
    const Event event = events.top();
    now = event.at;
    const bool result = event.kind == MessageKind::result;
    if (result) coordinator.learn(event.item, plan.items[event.item].seconds * factors[event.item]);
    ++(result ? told.results : told.reports);
    told.messages.push_back({event.kind, event.rank, {}});
    told.items.push_back(event.item);
    told.at.push_back(now);
    for (const Message& message : coordinator.handle(told.messages.back())) {
      if (message.kind != MessageKind::assign) continue;
      double& end = free_at[static_cast<std::size_t>(message.peer)];
      end = std::max(end, now);
      std::vector<std::uint32_t> items(message.payload.size() / sizeof(std::uint32_t));
      std::memcpy(items.data(), message.payload.data(), message.payload.size());
      for (const std::uint32_t item : items) {
        end += plan.items[item].seconds * factors[item];
        events.push({end, MessageKind::result, message.peer, item});
      }
      events.push({std::nextafter(end, INFINITY), MessageKind::idle, message.peer, 0});
    }
  }
  told.makespan = now;
  if (!coordinator.finished()) throw std::logic_error("the run did not end");
  return told;
}

/// Processor seconds of the state machine for all of this.
double replayed(const Plan& plan, std::span<const double> factors, const Told& told) {
  std::size_t i = 0;
  Coordinator coordinator(plan, plan.machine, numbers, {}, [&] { return told.at[i]; });
  const double before = processor_seconds();
  for (; i < told.messages.size(); ++i) {
    const std::uint32_t item = told.items[i];
    if (told.messages[i].kind == MessageKind::result)
      coordinator.learn(item, plan.items[item].seconds * factors[item]);
    coordinator.handle(told.messages[i]);
  }
  if (!coordinator.finished()) throw std::logic_error("the same messages led elsewhere");
  return processor_seconds() - before;
}

/// bf16 weights between 2^-7 and 2^-3, without a file.
class Bf16Reader final : public ByteReader {
 public:
  void read(const SourceFile&, std::uint64_t offset, std::span<std::byte> out) override {
    for (std::size_t i = 0; i + 2 <= out.size(); i += 2) {
      const auto hash = static_cast<std::uint32_t>((offset + i) * 2654435761U) >> 16U;
      const auto code = static_cast<std::uint16_t>((hash & 0x8000U) | 0x3c00U | (hash & 0x01ffU));
      std::memcpy(out.data() + i, &code, 2);
    }
  }
  std::uint64_t bytes_read() const override { return 0; }
};

/// What one item costs rank 0 beside the state machine, in processor seconds.
struct Paperwork {
  double order_seconds = 0, result_seconds = 0, order_bytes = 0, result_bytes = 0;
  double decoding_seconds = 0;  ///< of result_seconds
};

/// The items of one layer, everything asked of them, `hidden` wide: orders written, results taken to disk.
Paperwork paperwork(std::uint64_t hidden, double seconds) {
  const test::LlamaShape shape{"", 1, hidden, 2 * hidden, hidden / 64, hidden / 64, hidden};
  const std::vector<SurveyedModel> models{test::llama_model("a-model-with-a-usual-name", shape)};
  const Plan plan = make_plan(models, test::all_questions(), CostModel{}, {}, std::uint64_t{4} << 30);
  OrderBook book(models, test::all_questions());
  const auto write_orders = test::orders_from(book, plan);
  Bf16Reader reader;
  Paperwork cost;
  std::vector<std::vector<std::byte>> results;
  for (std::uint32_t i = 0; i < plan.items.size(); ++i) {
    const auto order = write_orders(std::span(&i, 1));
    results.push_back(encode(perform(decode_orders(order).front(), reader)));
    cost.order_bytes += static_cast<double>(order.size()) / static_cast<double>(plan.items.size());
    cost.result_bytes += static_cast<double>(results.back().size()) / static_cast<double>(plan.items.size());
  }
  const auto per_item = [&](auto what) {
    const double before = processor_seconds();
    double n = 0;
    for (; processor_seconds() < before + seconds; n += static_cast<double>(plan.items.size()))
      for (std::uint32_t i = 0; i < plan.items.size(); ++i) what(i);
    return (processor_seconds() - before) / n;
  };
  cost.decoding_seconds = per_item([&](std::uint32_t i) { decode_result(results[i]); });
  const auto directory =
      std::filesystem::temp_directory_path() / fmt::format("bench_coordinator.{}", ::getpid());
  {
    ResultLogs logs(directory, Leftovers::kept);
    cost.order_seconds = per_item([&](std::uint32_t i) {
      const WorkOrder order = book.order(i, plan.items[i]);
      const Hash128 claim = work_key(order, order.subjects.front());  // others are told of each item
      logs.claim(std::span(&claim, 1));
      encode(std::span(&order, 1));
    });
  }
  {
    ResultLogs logs(directory, Leftovers::removed);
    ResultStore store(logs, 1);
    cost.result_seconds = per_item([&](std::uint32_t i) { store.add(0, decode_result(results[i])); });
  }
  std::filesystem::remove_all(directory);
  return cost;
}

/// Rank 1 sleeps while rank 0 works alone.
template <class Work>
void alone(const Communicator& ranks, Work work) {
  MpiMailbox mailbox(ranks);
  if (ranks.leads()) {
    work();
    mailbox.send({MessageKind::stop, 1, {}});
  } else {
    Patience patience(Patience::worker);
    while (!mailbox.receive()) patience.wait();
  }
  mailbox.flush();
  ranks.all_reduce_min(0);
}

nlohmann::ordered_json run_of_short_items(int ranks, double round_seconds, const Paperwork& paper) {
  constexpr std::size_t items_per_rank = 32;
  constexpr double mean_seconds = 0.5, spread_power = 8;  // a few of 0.1 s to 2 s
  const auto machine = MachineLayout::uniform(ranks, 128, CoordinatorMode::automatic);
  const std::size_t n = items_per_rank * static_cast<std::size_t>(machine.workers());
  Plan plan = plan_of(n, mean_seconds, machine);
  const std::vector<double> lengths = uneven_factors(n, 1), factors = uneven_factors(n, 2);
  for (std::size_t i = 0; i < n; ++i)
    plan.items[i].seconds = 0.75 * mean_seconds * std::pow(lengths[i], spread_power);
  const Told told = told_in(plan, factors);
  double seconds = INFINITY;
  for (int r = 0; r < 3; ++r) seconds = std::min(seconds, replayed(plan, factors, told));
  const auto reports = static_cast<double>(told.reports), results = static_cast<double>(told.results);
  const double report = round_seconds + seconds / reports;
  return {{"ranks", ranks},
          {"items", n},
          {"makespan_seconds", told.makespan},
          {"reports", told.reports},
          {"results", told.results},
          {"state_machine_us_per_message", 1e6 * seconds / (reports + results)},
          {"state_machine_us_per_report", 1e6 * seconds / reports},
          {"reports_per_second", reports / told.makespan},
          {"load_of_reports", reports * report / told.makespan},
          {"load", (reports * report + results * round_seconds) / told.makespan},
          {"load_with_orders_and_results",
           (reports * report + results * (round_seconds + paper.order_seconds + paper.result_seconds)) /
               told.makespan}};
}

int run(const Communicator& ranks, double seconds, int many) {
  if (ranks.size() != 2) throw std::invalid_argument("bench_coordinator wants two ranks");
  const auto requests = static_cast<std::size_t>(1e5 * seconds);
  const double spinning = spinning_rate(ranks, requests);
  const double one = serving_rate(ranks, 1, requests / 50 + 1);
  const double all = serving_rate(ranks, many_workers, requests + many_workers);
  const double reply = reply_after_a_pause(ranks);
  const double idle = idle_share(ranks, 4 * seconds);
  alone(ranks, [&] {
    const Paperwork paper = paperwork(seconds < 0.5 ? 256 : 1024, seconds);
    fmt::print("{}\n", nlohmann::ordered_json{{"payload_bytes", payload_bytes},
                                              {"requests_per_second",
                                               {{"spinning", spinning},
                                                {"serve_one_worker", one},
                                                {fmt::format("serve_{}_workers", many_workers), all}}},
                                              {"reply_us_after_a_pause", 1e6 * reply},
                                              {"idle_core_share", idle},
                                              {"order_us", 1e6 * paper.order_seconds},
                                              {"order_bytes", paper.order_bytes},
                                              {"result_us", 1e6 * paper.result_seconds},
                                              {"result_decoding_us", 1e6 * paper.decoding_seconds},
                                              {"result_bytes", paper.result_bytes},
                                              {"short_items", run_of_short_items(many, 1 / spinning, paper)}}
                           .dump(1));
  });
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const stemma::World world(stemma::launch_from_environment());
  return stemma::run(world.all(), argc > 1 ? std::atof(argv[1]) : 0.5, argc > 2 ? std::atoi(argv[2]) : 16384);
}
