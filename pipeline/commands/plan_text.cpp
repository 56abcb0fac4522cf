// Which numbers of a plan does a person want to see before the run?
#include "pipeline/commands/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/report/columns.hpp"
#include "pipeline/commands/sweep_text.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/redacted.hpp"
#include "pipeline/refusal.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_named = 20;

/// Number of items by width, narrow ones first.
std::map<int, std::size_t> items_by_width(const Plan& plan) {
  std::map<int, std::size_t> count;
  for (const Item& item : plan.items) ++count[item.width];
  return count;
}

std::string widths_words(const Plan& plan) {
  std::vector<std::string> words;
  for (const auto& [width, items] : items_by_width(plan))
    words.push_back(
        fmt::format("{} on {}", with_commas(items), with_commas(static_cast<std::uint64_t>(width))));
  return fmt::format("{}", fmt::join(words, ", "));
}

Json document_of(const std::vector<SurveyedModel>& models, const std::vector<Plan>& plans) {
  Json columns = Json::array(), failed = Json::array();
  for (const Plan& p : plans) {
    Json by_width = Json::object();
    for (const auto& [width, items] : items_by_width(p)) by_width[std::to_string(width)] = items;
    columns.push_back({{"ranks", p.machine.ranks()},
                       {"workers", p.machine.workers()},
                       {"slots_per_node", p.machine.slots_per_node()},
                       {"items", p.items.size()},
                       {"items_by_width", by_width},
                       {"infeasible", p.infeasible.size()},
                       {"weight_bytes", p.weight_bytes},
                       {"read_bytes", p.read_bytes},
                       {"read_twice_bytes", p.again_bytes},
                       {"memory_per_rank", p.memory_per_rank},
                       {"peak_memory", p.peak_memory},
                       {"work_seconds", p.work},
                       {"lower_bound_seconds", p.lower_bound},
                       {"makespan_seconds", p.makespan},
                       {"uneven_makespan_seconds", p.uneven_makespan},
                       {"efficiency", p.efficiency()},
                       {"width_efficiency", p.width_efficiency()},
                       {"packing_efficiency", p.packing_efficiency()},
                       {"critical", p.critical()},
                       {"lambda_seconds", std::isfinite(p.lambda) ? Json(p.lambda) : Json()},
                       {"digest", p.digest}});
  }
  for (const SurveyedModel& m : models)
    if (m.failure)
      failed.push_back({{"id", m.request.id}, {"rule", m.failure->rule}, {"problem", m.failure->sentence}});
  return {{"schema", "stemma.plan/1"},
          {"stemma", version_text},
          {"models", models.size()},
          {"failed", failed},
          {"cost_model", plans.front().model.name},
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
             bytes_words(static_cast<double>(first.read_bytes - first.file_bytes - first.again_bytes -
                                             first.weight_bytes)));
  if (first.file_bytes > 0)
    fmt::print("whole files are read once more for their SHA-256: {}\n",
               bytes_words(static_cast<double>(first.file_bytes)));
  std::vector<std::vector<std::string>> rows{{"ranks"},
                                             {"ranks that compute"},
                                             {"items"},
                                             {"of these on so many ranks"},
                                             {"read twice, in smaller pieces"},
                                             {"peak memory per rank"},
                                             {"memory allowed per rank"},
                                             {"items that fit nowhere"},
                                             {"work, rank-seconds"},
                                             {"lower bound"},
                                             {"predicted"},
                                             {"if times vary by 10 %"},
                                             {"efficiency"},
                                             {"of this, teams"},
                                             {"of this, packing"},
                                             {"plan"}};
  for (const Plan& p : plans) {
    const std::string cells[] = {with_commas(static_cast<std::uint64_t>(p.machine.ranks())),
                                 with_commas(static_cast<std::uint64_t>(p.machine.workers())),
                                 with_commas(p.items.size()),
                                 widths_words(p),
                                 bytes_words(static_cast<double>(p.again_bytes)),
                                 memory_words(static_cast<double>(p.peak_memory)),
                                 memory_words(static_cast<double>(p.memory_per_rank)),
                                 with_commas(p.infeasible.size()),
                                 fmt::format("{:.1f}", p.work),
                                 duration_words(p.lower_bound),
                                 duration_words(p.makespan),
                                 duration_words(p.uneven_makespan),
                                 fmt::format("{:.2f}", p.efficiency()),
                                 fmt::format("{:.2f}", p.width_efficiency()),
                                 fmt::format("{:.2f}", p.packing_efficiency()),
                                 p.digest};
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r].push_back(cells[r]);
  }
  fmt::print("{}  times from the {} of one rank\n", aligned(rows), first.model.name);
  std::size_t named = 0;
  for (const std::uint32_t i : first.infeasible) {
    if (named++ == most_named) break;
    const Item& item = first.items[i];
    const SurveyedModel& m = models[item.model];
    fmt::print("  {} {} {}\n", printable(m.request.id), printable(name_of(item, *m.model)),
               refusal(item, first).sentence);
  }
  named = 0;
  for (const SurveyedModel& m : models) {
    if (!m.failure) continue;
    if (named++ == most_named) break;
    fmt::print("  {}: {}\n", printable(m.request.id), printable(m.failure->sentence, 2000));
  }
}

}  // namespace

bool PlannedRun::good() const {
  return std::ranges::all_of(models, [](const auto& m) { return m.model.has_value(); }) &&
         plans.front().infeasible.empty();
}

PlannedRun planned(const AuditRequest& request, const std::vector<int>& ranks, int ranks_here) {
  PlannedRun run{survey(request.models, ArchitectureTables::shipped_and(request.architectures)), {}};
  const Inventory inventory = take_inventory(run.models, request.questions);
  for (const int p : ranks)
    run.plans.push_back(make_plan(inventory, run.models, request.questions, request.rates,
                                  MachineLayout::uniform(p, ranks_here, request.coordinator),
                                  request.memory_per_rank.value_or(memory_budget(std::min(p, ranks_here))),
                                  request.width_rule));
  if (request.tables.redact) redact(run.models);
  return run;
}

void print_plan(const RunSeries& series, std::size_t index, const PlannedRun& run) {
  if (series.is_sweep()) fmt::print("{}plan of point {}:\n", points_text(series.sweep()), index);
  print_text(run.models, run.plans);
}

nlohmann::ordered_json plan_json(const RunSeries& series, std::size_t index, const PlannedRun& run) {
  Json document = document_of(run.models, run.plans);
  if (series.is_sweep()) document["sweep"] = points_document(series.sweep(), index);
  return document;
}

}  // namespace stemma
