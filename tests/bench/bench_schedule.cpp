// How good are the plans for large corpora on large machines, and how long does planning take?
// What does it cost that one coordinator serves everybody?
//   bench_schedule [--far] [calibration.json]
//
// Plans corpora of Llama-like shapes with the rates of the built-in reference (or of a file), 4 GB per rank,
// 128 ranks per node, and simulates the run. Prints one JSON object for each: work, bound, efficiency and its
// factors, for comparison what narrow items alone would reach, and by how much talking makes the run longer:
// the messages alone, and with orders written and results taken by the same rank. --far: the last corpus and
// a run of short items also on more ranks, with as much more to do, and with messages that cost more. Fails
// when a target is missed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "analyzers/catalogue.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/simulation.hpp"
#include "tests/pipeline/llama_models.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t memory_per_rank = 4'000'000'000;
constexpr int ranks_per_node = 128;

struct Corpus {
  const char* name;
  std::vector<std::pair<test::LlamaShape, int>> models;
  int ranks;
  double target;  ///< least efficiency when every item takes its prediction; 0: none
};

// As bench_coordinator found them with two ranks on a machine of two cores. Latency: half of the longest
// sleep of a waiting worker.
constexpr MessageCosts talk{.report = 6e-6, .result = 6e-6, .order = 0, .latency = 1e-3};
constexpr double order_seconds = 32e-6;
// Of a result, decoded and kept on disk: its histograms, and its spectra by the width of the model.
constexpr double result_seconds = 160e-6, result_seconds_per_column = 30e-9;
constexpr double most_lost = 0.02;

MessageCosts with_paperwork(MessageCosts costs, std::uint64_t hidden) {
  costs.order += order_seconds;
  costs.result += result_seconds + result_seconds_per_column * static_cast<double>(hidden);
  return costs;
}

/// The part of the makespan that messages add, mean of three draws of times that vary by 10 %.
double lost(const MachineLayout& machine, std::span<const Task> tasks, const MessageCosts& costs) {
  double free = 0, talking = 0;
  for (const unsigned seed : {1U, 2U, 3U}) {
    const std::vector<double> factors = uneven_factors(tasks.size(), seed);
    free += simulate(machine, tasks, factors).makespan;
    talking += simulate(machine, tasks, factors, costs).makespan;
  }
  return 1 - free / talking;
}

std::vector<Corpus> corpora() {
  using namespace test;
  const std::vector<std::pair<LlamaShape, int>> mixed = {
      {llama_1b, 50}, {llama_8b, 20}, {llama_70b, 4}, {llama_405b, 1}};
  return {{"200 models of 8B", {{llama_8b, 200}}, 512, 0.9},
          {"20 models of 8B", {{llama_8b, 20}}, 512, 0},
          {"20 models of 8B", {{llama_8b, 20}}, 4096, 0},
          {"1 model of 405B", {{llama_405b, 1}}, 512, 0},
          {"1 model of 405B", {{llama_405b, 1}}, 16384, 0.6},
          {"50 x 1B, 20 x 8B, 4 x 70B, 405B", mixed, 4096, 0},
          {"50 x 1B, 20 x 8B, 4 x 70B, 405B", mixed, 16384, 0},
          {"1000 models of 8B", {{llama_8b, 1000}}, 16384, 0.9}};
}

/// What the usual run asks of every model, but for tensorguard: its longest item would be the bound of large
/// models, and hide how well the others are spread.
std::vector<Question> questions() {
  std::vector<Question> all;
  for (const Analyzer* analyzer : catalogue())
    if (analyzer->name() != "tensorguard") all.push_back({analyzer, {}});
  return all;
}

Plan plan_of(const Corpus& corpus, const CostModel& rates) {
  std::vector<SurveyedModel> models;
  for (const auto& [shape, count] : corpus.models)
    for (int i = 0; i < count; ++i)
      models.push_back(test::llama_model(fmt::format("{}-{}", shape.name, i), shape));
  const auto machine = MachineLayout::uniform(corpus.ranks, ranks_per_node, CoordinatorMode::automatic);
  return make_plan(models, questions(), rates, machine, memory_per_rank);
}

bool report(const Corpus& corpus, const CostModel& rates) {
  const Stopwatch watch;
  const Plan plan = plan_of(corpus, rates);
  const double seconds = watch.seconds();
  std::uint64_t hidden = 0;
  for (const auto& [shape, count] : corpus.models) hidden = std::max(hidden, shape.hidden);
  const std::vector<Task> tasks = tasks_of(plan, plan.machine);
  const double lost_to_messages = lost(plan.machine, tasks, talk);
  const double lost_to_all = lost(plan.machine, tasks, with_paperwork(talk, hidden));
  std::map<int, int> widths;
  for (const Item& item : plan.items) ++widths[item.width];
  nlohmann::ordered_json by_width;
  for (const auto& [width, items] : widths) by_width[fmt::format("{}", width)] = items;
  const double uneven = plan.lower_bound / plan.uneven_makespan;
  const bool good = plan.efficiency() >= corpus.target && lost_to_messages <= most_lost;
  fmt::print("{}\n", nlohmann::ordered_json{{"corpus", corpus.name},
                                            {"ranks", corpus.ranks},
                                            {"rates", rates.name},
                                            {"items", plan.items.size()},
                                            {"items_by_width", by_width},
                                            {"read_twice_bytes", plan.again_bytes},
                                            {"infeasible", plan.infeasible.size()},
                                            {"work_rank_seconds", plan.work},
                                            {"lower_bound_seconds", plan.lower_bound},
                                            {"lambda_of_bound", plan.lambda / plan.lower_bound},
                                            {"makespan_seconds", plan.makespan},
                                            {"uneven_makespan_seconds", plan.uneven_makespan},
                                            {"efficiency", plan.efficiency()},
                                            {"uneven_efficiency", uneven},
                                            {"width_efficiency", plan.width_efficiency()},
                                            {"packing_efficiency", plan.packing_efficiency()},
                                            {"critical", plan.critical()},
                                            {"peak_memory", plan.peak_memory},
                                            {"planning_seconds", seconds},
                                            {"lost_to_messages", lost_to_messages},
                                            {"lost_with_orders_and_results", lost_to_all},
                                            {"target", corpus.target},
                                            {"pass", good}}
                         .dump());
  return good;
}

/// `times` the ranks and the items.
void report_far(const char* name, std::vector<Task> tasks, std::uint64_t hidden, int ranks) {
  const std::vector<Task> once = tasks;
  double seconds = 0;
  for (const Task& task : once) seconds += task.seconds;
  for (int times = 1; times <= 16; times *= 2) {
    while (tasks.size() < once.size() * static_cast<std::size_t>(times))
      tasks.insert(tasks.end(), once.begin(), once.end());
    const auto machine = MachineLayout::uniform(times * ranks, ranks_per_node, CoordinatorMode::automatic);
    MessageCosts dear = talk;
    dear.report *= 10, dear.result *= 10;
    fmt::print("{}\n",
               nlohmann::ordered_json{
                   {"far", name},
                   {"ranks", machine.ranks()},
                   {"items", tasks.size()},
                   {"mean_item_seconds", seconds / static_cast<double>(once.size())},
                   {"lost_to_messages", lost(machine, tasks, talk)},
                   {"lost_to_messages_ten_times_as_dear", lost(machine, tasks, dear)},
                   {"lost_with_orders_and_results", lost(machine, tasks, with_paperwork(talk, hidden))}}
                   .dump());
  }
}

std::vector<Task> short_items(int ranks) {
  constexpr std::size_t items_per_rank = 32;
  constexpr double median = 0.375, spread_power = 8;  // mean 0.5 s
  std::vector<Task> tasks;
  for (const double length : uneven_factors(items_per_rank * static_cast<std::size_t>(ranks), 4))
    tasks.push_back({median * std::pow(length, spread_power)});
  return tasks;
}

void report_far(const CostModel& rates) {
  const Corpus last = corpora().back();
  const Plan plan = plan_of(last, rates);
  report_far(last.name, tasks_of(plan, plan.machine), last.models.front().first.hidden, last.ranks);
  report_far("short items", short_items(1024), test::llama_1b.hidden, 1024);
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  bool good = true;
  const bool far = argc > 1 && std::string_view(argv[1]) == "--far";
  const char* file = argc > 1 + far ? argv[1 + far] : nullptr;
  const stemma::CostModel rates = file ? stemma::read_cost_model(file) : stemma::CostModel{};
  for (const stemma::Corpus& corpus : stemma::corpora()) good = stemma::report(corpus, rates) && good;
  if (far) stemma::report_far(rates);
  return good ? 0 : 1;
}
