// How good are the plans for large corpora on large machines, and how long does planning take?
//   bench_schedule [calibration.json]
//
// Plans corpora of Llama-like shapes with the rates of the built-in reference (or of a file), 4 GB per rank,
// 128 ranks per node, and simulates the run. Prints one JSON object for each: work, bound, efficiency and its
// factors, and for comparison what narrow items alone would reach. Fails when a target is missed.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

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
          {"50 x 1B, 20 x 8B, 4 x 70B, 405B", mixed, 16384, 0}};
}

/// What the usual run asks of every model.
std::vector<Question> questions() {
  std::vector<Question> all;
  for (const Analyzer* analyzer : catalogue()) all.push_back({analyzer, {}});
  return all;
}

bool report(const Corpus& corpus, const CostModel& rates) {
  std::vector<SurveyedModel> models;
  for (const auto& [shape, count] : corpus.models)
    for (int i = 0; i < count; ++i)
      models.push_back(test::llama_model(fmt::format("{}-{}", shape.name, i), shape));
  const auto machine = MachineLayout::uniform(corpus.ranks, ranks_per_node, CoordinatorMode::automatic);
  const Stopwatch watch;
  const Plan plan = make_plan(models, questions(), rates, machine, memory_per_rank);
  const double seconds = watch.seconds();
  std::map<int, int> widths;
  for (const Item& item : plan.items) ++widths[item.width];
  nlohmann::ordered_json by_width;
  for (const auto& [width, items] : widths) by_width[fmt::format("{}", width)] = items;
  const double uneven = plan.lower_bound / plan.uneven_makespan;
  const bool good = plan.efficiency() >= corpus.target;
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
                                            {"target", corpus.target},
                                            {"pass", good}}
                         .dump());
  return good;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  bool good = true;
  const stemma::CostModel rates = argc > 1 ? stemma::read_cost_model(argv[1]) : stemma::CostModel{};
  for (const stemma::Corpus& corpus : stemma::corpora()) good = stemma::report(corpus, rates) && good;
  return good ? 0 : 1;
}
