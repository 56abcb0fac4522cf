// Tensors that a subject needs together become one item, small neighbours share one, the longest go first.
#include "pipeline/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "io/archive/sha256.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t small_tensor = std::uint64_t{64} << 10;  // travels with its neighbours
constexpr std::uint64_t small_batch = std::uint64_t{1} << 20;
constexpr std::uint64_t reading_chunk = std::uint64_t{16} << 20;
constexpr int dedicated_from = 32;

/// Stored tensors joined into groups by the subjects that need them together.
class Groups {
 public:
  explicit Groups(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0U); }
  std::uint32_t root(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    parent_[std::max(root(a), root(b))] = std::min(root(a), root(b));
  }

 private:
  std::vector<std::uint32_t> parent_;
};

/// The stored tensors that a subject streams.
std::vector<std::uint32_t> tensors_of(const Subject& subject, const Model& model) {
  std::vector<std::uint32_t> tensors;
  for (const std::uint32_t matrix : subject.matrices) tensors.push_back(model.matrices[matrix].tensor);
  if (subject.stored) tensors.push_back(*subject.stored);
  return tensors;
}

/// Items of one model. `loads` collects costs per tensor group before small neighbours are merged.
void plan_model(std::uint32_t index, const Model& model, const std::vector<Question>& questions,
                const CostModel& costs, Plan& plan) {
  const auto& tensors = model.checkpoint.tensors;
  Groups groups(tensors.size());
  const std::vector<Subject> subjects = subjects_of(model, questions);
  for (const Subject& subject : subjects) {
    const auto needed = tensors_of(subject, model);
    for (const std::uint32_t t : needed) groups.join(needed.front(), t);
  }
  struct Load {
    Cost cost;
    std::uint32_t subjects = 0;
    std::uint64_t companions = 0;
  };
  std::vector<Load> loads(tensors.size());  // at the root of each group
  for (const Subject& subject : subjects) {
    const auto needed = tensors_of(subject, model);
    if (needed.empty()) continue;
    Load& load = loads[groups.root(needed.front())];
    const Analyzer* analyzer = nullptr;
    for (const Question& question : questions)
      if (question.analyzer->name() == subject.analyzer) analyzer = question.analyzer;
    const Cost cost = analyzer->cost(subject, inputs_of(subject, model));
    load.cost.flops += cost.flops;
    load.cost.memory += cost.memory;
    if (cost.decomposition) {
      load.cost.flops += cost.decomposition->product_flops() + cost.decomposition->eigenvalue_flops();
      load.cost.memory += cost.decomposition->memory(1);
    }
    load.subjects += 1;
    for (const std::uint32_t c : subject.companions)
      load.companions += tensors[model.matrices[c].tensor].bytes;
  }
  for (const Subject& subject : subjects)
    if (subject.file)
      plan.items.push_back({.model = index,
                            .tensors = {},
                            .file = subject.file,
                            .subjects = 1,
                            .bytes = model.checkpoint.files[*subject.file].bytes,
                            .memory = fixed_memory + reading_chunk});
  std::vector<std::uint32_t> order;
  for (std::uint32_t t = 0; t < tensors.size(); ++t)
    if (loads[groups.root(t)].subjects > 0) order.push_back(t);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(tensors[a].file, tensors[a].offset) < std::tuple(tensors[b].file, tensors[b].offset);
  });

  std::vector<std::int64_t> item_of(tensors.size(), -1);  // by group root
  std::int64_t basket = -1;                               // item that collects small tensors
  for (const std::uint32_t t : order) {
    const std::uint32_t root = groups.root(t);
    Load& load = loads[root];
    plan.weight_bytes += tensors[t].bytes;
    if (item_of[root] < 0) {
      const bool small = tensors[t].bytes <= small_tensor && load.cost.flops < 1e6;
      const bool into_basket =
          small && basket >= 0 && plan.items[static_cast<std::size_t>(basket)].bytes < small_batch;
      if (into_basket) {
        item_of[root] = basket;
      } else {
        item_of[root] = static_cast<std::int64_t>(plan.items.size());
        plan.items.push_back({.model = index, .tensors = {}, .memory = fixed_memory + 2 * reading_chunk});
        if (small) basket = item_of[root];
      }
      Item& item = plan.items[static_cast<std::size_t>(item_of[root])];
      item.subjects += load.subjects;
      item.memory += load.cost.memory;
      item.bytes += load.companions;
      item.seconds += load.cost.flops / costs.flop_rate;
    }
    Item& item = plan.items[static_cast<std::size_t>(item_of[root])];
    item.tensors.push_back(t);
    item.bytes += tensors[t].bytes;
  }
}

/// List scheduling: every item to the worker that is free first.
double simulate(const std::vector<Item>& items, int workers) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (int w = 0; w < workers; ++w) free_at.push(0);
  double end = 0;
  for (const Item& item : items) {
    const double done = free_at.top() + item.seconds;
    free_at.pop();
    free_at.push(done);
    end = std::max(end, done);
  }
  return end;
}

/// Of what decides who does what.
std::string digest_of(const Plan& plan) {
  std::string text = fmt::format("stemma-plan/1 {}", plan.ranks);
  for (const Item& item : plan.items) {
    text += fmt::format("\n{} {} {}", item.model, fmt::join(item.tensors, ","), item.subjects);
    if (item.file) text += fmt::format(" file {}", *item.file);
  }
  return sha256_hex(text).substr(0, 16);
}

}  // namespace

std::string name_of(const Item& item, const Model& model) {
  return item.file ? model.checkpoint.files[*item.file].path
                   : model.checkpoint.tensors[item.tensors.front()].name;
}

int workers_among(int ranks, CoordinatorMode mode) {
  if (ranks == 1 || mode == CoordinatorMode::shared) return ranks;
  if (mode == CoordinatorMode::dedicated) return ranks - 1;
  return ranks < dedicated_from ? ranks : ranks - 1;
}

Plan make_plan(std::span<const SurveyedModel> models, const std::vector<Question>& questions,
               const CostModel& costs, int ranks, CoordinatorMode mode, std::uint64_t memory_per_rank) {
  Plan plan;
  plan.ranks = ranks;
  plan.workers = workers_among(ranks, mode);
  plan.memory_per_rank = memory_per_rank;
  for (std::uint32_t m = 0; m < models.size(); ++m)
    if (models[m].model) plan_model(m, *models[m].model, questions, costs, plan);
  double longest = 0;
  for (Item& item : plan.items) {
    item.seconds += costs.seconds({.flops = 0, .bytes = static_cast<double>(item.bytes)});
    plan.read_bytes += item.bytes;
    if (item.file) plan.file_bytes += item.bytes;
    plan.work += item.seconds;
    plan.peak_memory = std::max(plan.peak_memory, item.memory);
    longest = std::max(longest, item.seconds);
  }
  std::stable_sort(plan.items.begin(), plan.items.end(),
                   [](const Item& a, const Item& b) { return a.seconds > b.seconds; });
  for (std::uint32_t i = 0; i < plan.items.size(); ++i)
    if (plan.items[i].memory > memory_per_rank) plan.infeasible.push_back(i);
  plan.lower_bound = std::max(plan.work / plan.workers, longest);
  plan.makespan = simulate(plan.items, plan.workers);
  plan.digest = digest_of(plan);
  return plan;
}

}  // namespace stemma
