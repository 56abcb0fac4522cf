// Times are those of the ranks that the plan gives to each item.
#include "pipeline/commands/plan_items.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "io/report/tsv.hpp"
#include "pipeline/json_document.hpp"

namespace stemma {
namespace {

/// Indices, those with the longest time first, equals in order of the plan.
std::vector<std::size_t> longest_first(const Plan& plan) {
  std::vector<std::size_t> order(plan.items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return plan.items[i].seconds; });
  return order;
}

/// Calls `row` with the item, its name and whether it fits.
template <class Row>
void each(std::span<const SurveyedModel> models, const Plan& plan, const Row& row) {
  const std::set<std::uint32_t> infeasible(plan.infeasible.begin(), plan.infeasible.end());
  for (const std::size_t i : longest_first(plan)) {
    const Item& item = plan.items[i];
    const SurveyedModel& model = models[item.model];
    row(item, model.request.id, name_of(item, *model.model),
        !infeasible.contains(static_cast<std::uint32_t>(i)));
  }
}

}  // namespace

std::string items_table(std::span<const SurveyedModel> models, const Plan& plan) {
  Tsv table({"model", "item", "tensors", "ranks", "seconds", "bytes", "memory", "fits"});
  each(models, plan, [&](const Item& item, const std::string& model, const std::string& name, bool fits) {
    table.row(model, name, std::uint64_t{item.tensors.size()}, item.width, item.seconds, item.bytes,
              item.memory, fits);
  });
  return table.text();
}

nlohmann::ordered_json items_json(std::span<const SurveyedModel> models, const Plan& plan) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  each(models, plan, [&](const Item& item, const std::string& model, const std::string& name, bool fits) {
    rows.push_back({{"model", model},
                    {"item", name},
                    {"tensors", item.tensors.size()},
                    {"ranks", item.width},
                    {"seconds", json_number(item.seconds)},
                    {"bytes", item.bytes},
                    {"memory", item.memory},
                    {"fits", fits}});
  });
  return rows;
}

}  // namespace stemma
