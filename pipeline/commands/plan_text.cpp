// Which numbers of a plan does a person want to see before the run?
#include "pipeline/commands/plan_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/report/columns.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_named = 20;

Json document_of(const std::vector<SurveyedModel>& models, const std::vector<Plan>& plans) {
  Json columns = Json::array(), failed = Json::array();
  for (const Plan& p : plans) {
    columns.push_back({{"ranks", p.machine.ranks()},
                       {"workers", p.machine.workers()},
                       {"items", p.items.size()},
                       {"infeasible", p.infeasible.size()},
                       {"weight_bytes", p.weight_bytes},
                       {"read_bytes", p.read_bytes},
                       {"memory_per_rank", p.memory_per_rank},
                       {"peak_memory", p.peak_memory},
                       {"work_seconds", p.work},
                       {"lower_bound_seconds", p.lower_bound},
                       {"makespan_seconds", p.makespan},
                       {"efficiency", p.efficiency()},
                       {"digest", p.digest}});
  }
  for (const SurveyedModel& m : models)
    if (m.failure)
      failed.push_back({{"id", m.request.id}, {"rule", m.failure->rule}, {"problem", m.failure->sentence}});
  return {{"schema", "stemma.plan/1"},
          {"models", models.size()},
          {"failed", failed},
          {"cost_model", CostModel{}.name},
          {"plans", columns}};
}

void print_text(const std::vector<SurveyedModel>& models, const std::vector<Plan>& plans) {
  std::size_t readable = 0, tensors = 0;
  for (const SurveyedModel& m : models) {
    readable += m.model.has_value();
    if (m.model) tensors += m.model->checkpoint.tensors.size();
  }
  const Plan& first = plans.front();
  fmt::print("{} of {} readable, {}, {} to read once ({} again as companions)\n", with_commas(readable),
             counted(models.size(), "model"), counted(tensors, "tensor"),
             bytes_words(static_cast<double>(first.weight_bytes)),
             bytes_words(static_cast<double>(first.read_bytes - first.file_bytes - first.weight_bytes)));
  if (first.file_bytes > 0)
    fmt::print("whole files are read once more for their SHA-256: {}\n",
               bytes_words(static_cast<double>(first.file_bytes)));
  std::vector<std::vector<std::string>> rows{{"ranks"},
                                             {"ranks that compute"},
                                             {"items"},
                                             {"peak memory per rank"},
                                             {"memory allowed per rank"},
                                             {"items that fit nowhere"},
                                             {"work, rank-seconds"},
                                             {"lower bound"},
                                             {"predicted"},
                                             {"efficiency"},
                                             {"plan"}};
  for (const Plan& p : plans) {
    const std::string cells[] = {with_commas(static_cast<std::uint64_t>(p.machine.ranks())),
                                 with_commas(static_cast<std::uint64_t>(p.machine.workers())),
                                 with_commas(p.items.size()),
                                 memory_words(static_cast<double>(p.peak_memory)),
                                 memory_words(static_cast<double>(p.memory_per_rank)),
                                 with_commas(p.infeasible.size()),
                                 fmt::format("{:.1f}", p.work),
                                 duration_words(p.lower_bound),
                                 duration_words(p.makespan),
                                 fmt::format("{:.2f}", p.efficiency()),
                                 p.digest};
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r].push_back(cells[r]);
  }
  fmt::print("{}  times from the {} of one rank\n", aligned(rows), CostModel{}.name);
  std::size_t named = 0;
  for (const std::uint32_t i : first.infeasible) {
    if (named++ == most_named) break;
    const Item& item = first.items[i];
    const SurveyedModel& m = models[item.model];
    fmt::print("  {} {} needs {} on one rank, the budget is {}\n", printable(m.request.id),
               printable(name_of(item, *m.model)), memory_words(static_cast<double>(item.memory)),
               memory_words(static_cast<double>(first.memory_per_rank)));
  }
  named = 0;
  for (const SurveyedModel& m : models) {
    if (!m.failure) continue;
    if (named++ == most_named) break;
    fmt::print("  {}: {}\n", printable(m.request.id), printable(m.failure->sentence, 2000));
  }
}

}  // namespace

bool print_plan(const AuditRequest& request, const std::vector<int>& ranks, bool json, int ranks_here) {
  const std::vector<SurveyedModel> models =
      survey(request.models, ArchitectureTables::shipped_and(request.architectures));
  std::vector<Plan> plans;
  for (const int p : ranks)
    plans.push_back(make_plan(models, request.questions, CostModel{},
                              MachineLayout::uniform(p, ranks_here, request.coordinator),
                              request.memory_per_rank.value_or(memory_budget(std::min(p, ranks_here)))));
  if (json) {
    fmt::print("{}\n", document_of(models, plans).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_text(models, plans);
  }
  const bool readable =
      std::all_of(models.begin(), models.end(), [](const auto& m) { return m.model.has_value(); });
  return readable && plans.front().infeasible.empty();
}

}  // namespace stemma
