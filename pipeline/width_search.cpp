// Every candidate is simulated; the soonest end wins.
#include "pipeline/width_search.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr double candidates[] = {forever, 2, 1.5, 1, 0.75, 0.5, 0.25, 0.125};  // of LB, largest first
constexpr unsigned seeds[] = {1, 2, 3};
constexpr std::size_t most_simulated = 100'000;
constexpr int octaves = 32;
constexpr double tie = 1e-9;
constexpr std::size_t most_refined = 10'000;  // items
constexpr std::size_t most_starts = 3;
constexpr std::size_t refinement_events = 2'000'000;  // items simulated while widths are mixed
constexpr double worthwhile = 1e-3;
constexpr int parts[] = {1, 2, 3, 4};  // of the items at one width, the part that moves

/// What one cost may choose from, ascending by width.
struct WidthChoice {
  int level = 0;
  double seconds = 0;
};

/// How many items of each cost have each of its choices: items of one cost are alike.
using Mix = std::vector<std::vector<int>>;

class Search {
 public:
  Search(const MachineLayout& machine, const CostModel& model, std::span<const ItemCost> costs,
         std::span<const std::uint32_t> item_costs, std::uint64_t memory, WidthRule rule)
      : machine_(machine), costs_(costs), item_costs_(item_costs), count_(costs.size(), 0) {
    for (const ItemCost& cost : costs) {
      alone_.push_back(model.seconds(cost, 1));
      choices_.push_back(choices_for(model, cost, memory, rule));
    }
    for (const std::uint32_t c : item_costs) ++count_[c];
  }

  WidthPlan best(double work) {
    WidthPlan plan;
    for (std::size_t c = 0; c < costs_.size(); ++c) {
      if (choices_[c].empty()) plan.infeasible += static_cast<std::size_t>(count_[c]);
      if (choices_[c].empty() || count_[c] == 0) continue;
      plan.work += alone_[c] * count_[c];
      plan.longest = std::max(plan.longest, choices_[c][chosen(c, 0)].seconds);
    }
    if (work > 0) plan.work = work;
    plan.lower_bound = std::max(plan.work / machine_.workers(), plan.longest);
    std::vector<Candidate> tried = uniform_candidates(plan.lower_bound);
    if (tried.size() > 1 && item_costs_.size() <= most_refined) {
      // The best one may be a blind alley.
      const std::size_t starts = std::min(tried.size(), most_starts);
      for (std::size_t i = 0; i < starts; ++i) refine(tried[i], refinement_events / starts);
      tried.resize(starts);
      std::stable_sort(tried.begin(), tried.end());
    }
    const Mix& mix = tried.front().mix;
    plan.lambda = tried.front().lambda;
    plan.uneven_makespan = uneven_makespan(mix);
    const std::vector<Task> tasks = tasks_of(mix);
    plan.makespan = simulate(machine_, tasks).makespan;
    for (const Task& task : tasks) {
      plan.level.push_back(task.feasible ? task.level : -1);
      plan.seconds.push_back(task.seconds);
    }
    return plan;
  }

 private:
  struct Candidate {
    double makespan = 0;  ///< uneven; while widths are mixed, the mean of that and the exact one
    double lambda = 0;
    Mix mix;
    bool operator<(const Candidate& other) const { return makespan < other.makespan * (1 - tie); }
  };

  /// One for each lambda that leads to other widths, the best first; among equals the larger lambda.
  std::vector<Candidate> uniform_candidates(double lower_bound) {
    std::vector<Candidate> found;
    std::set<Mix> seen;
    for (const double candidate : candidates) {
      const double lambda = candidate * lower_bound;
      Mix mix = uniform_mix(lambda);
      if (!seen.insert(mix).second) continue;
      const double makespan = uneven_makespan(mix);
      found.push_back({makespan, lambda, std::move(mix)});
    }
    std::stable_sort(found.begin(), found.end());
    return found;
  }

  std::vector<WidthChoice> choices_for(const CostModel& model, const ItemCost& cost, std::uint64_t memory,
                                       WidthRule rule) const {
    std::vector<WidthChoice> choices;
    const int only = width_by_size(cost.largest_k());
    for (int level = 0; level <= machine_.top_level(); ++level) {
      const int width = machine_.width_at(level);
      if (rule == WidthRule::by_size && width != only) continue;
      if (width == 0 || (level > 0 && (width == 1 || width > cost.widest()))) continue;
      if (cost.memory_on(width, machine_.on_one_node(level)) <= memory)
        choices.push_back({level, model.seconds(cost, width)});
    }
    return choices;
  }

  /// The least width that keeps an item below lambda, else the one that makes it shortest.
  std::size_t chosen(std::size_t cost, double lambda) const {
    const std::vector<WidthChoice>& from = choices_[cost];
    std::size_t shortest = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].seconds <= lambda) return i;
      if (from[i].seconds < from[shortest].seconds) shortest = i;
    }
    return shortest;
  }

  Mix uniform_mix(double lambda) const {
    Mix mix;
    for (std::size_t c = 0; c < costs_.size(); ++c) {
      mix.emplace_back(choices_[c].size(), 0);
      if (!choices_[c].empty()) mix[c][chosen(c, lambda)] = count_[c];
    }
    return mix;
  }

  std::vector<Task> tasks_of(Mix mix) const {
    std::vector<Task> tasks;
    tasks.reserve(item_costs_.size());
    for (const std::uint32_t c : item_costs_) {
      std::size_t i = mix[c].size();
      while (i > 0 && mix[c][i - 1] == 0) --i;
      if (i == 0) {
        tasks.push_back({.feasible = false});
        continue;
      }
      --mix[c][i - 1];
      const WidthChoice& choice = choices_[c][i - 1];
      tasks.push_back({choice.seconds, choice.level, true, kind_of(costs_[c], choice.level)});
    }
    return tasks;
  }

  /// Long lists of narrow tasks are joined in runs: the search asks which widths are better, not when exactly
  /// all ends.
  static std::vector<Task> coarsened(std::vector<Task> tasks) {
    std::erase_if(tasks, [](const Task& t) { return !t.feasible; });
    if (tasks.size() <= most_simulated) return tasks;
    std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
      return a.level > b.level || (a.level == b.level && a.seconds > b.seconds);
    });
    const std::size_t run = tasks.size() / most_simulated + 1;
    std::vector<Task> joined;
    for (std::size_t i = 0; i < tasks.size();) {
      joined.push_back(tasks[i++]);
      for (std::size_t n = 1; n < run && i < tasks.size() && tasks[i].level == 0 && joined.back().level == 0;
           ++n)
        joined.back().seconds += tasks[i++].seconds;
    }
    return joined;
  }

  double uneven_makespan(const Mix& mix) {
    const std::vector<Task> tasks = coarsened(tasks_of(mix));
    double sum = 0;
    for (std::size_t s = 0; s < std::size(seeds); ++s) {
      if (factors_[s].size() < tasks.size()) factors_[s] = uneven_factors(tasks.size(), seeds[s]);
      sum += simulate(machine_, tasks, factors_[s]).makespan;
    }
    events_ += std::size(seeds) * tasks.size();
    return sum / static_cast<double>(std::size(seeds));
  }

  /// A mixture that fits exactly may be undone by the first delay, and one that stands all delays may waste
  /// what predictions promise.
  double mixed_makespan(const Mix& mix) {
    events_ += item_costs_.size();
    return (uneven_makespan(mix) + simulate(machine_, tasks_of(mix)).makespan) / 2;
  }

  /// Moves parts of the items of a cost a few widths up or down, as long as that helps and `events` allow.
  void refine(Candidate& candidate, std::size_t events) {
    events_ = 0;
    Mix& mix = candidate.mix;
    candidate.makespan = mixed_makespan(mix);
    for (bool better = true; better;) {
      better = false;
      for (std::size_t c = 0; c < mix.size(); ++c)
        for (std::size_t i = 0; i < mix[c].size(); ++i)
          for (const int step : {1, -1, 2, -2, 3, -3})
            for (const int part : parts) {
              const std::size_t to = i + static_cast<std::size_t>(step);
              const int some = mix[c][i] / part;
              if (to >= mix[c].size() || some == 0) continue;
              if (events_ > events) return;
              mix[c][i] -= some;
              mix[c][to] += some;
              const double makespan = mixed_makespan(mix);
              if (makespan < candidate.makespan * (1 - worthwhile)) {
                candidate.makespan = makespan;
                better = true;
              } else {
                mix[c][i] += some;
                mix[c][to] -= some;
              }
            }
    }
  }

  const MachineLayout& machine_;
  std::span<const ItemCost> costs_;
  std::span<const std::uint32_t> item_costs_;
  std::vector<int> count_;                         ///< items, by cost
  std::vector<double> alone_;                      ///< one-rank seconds, by cost
  std::vector<std::vector<WidthChoice>> choices_;  ///< by cost
  std::vector<double> factors_[std::size(seeds)];
  std::size_t events_ = 0;
};

}  // namespace

std::uint16_t kind_of(const ItemCost& cost, int level) {
  const int octave = std::bit_width(cost.largest_k()) % octaves;
  return static_cast<std::uint16_t>(octaves * level + octave);
}

WidthPlan search_widths(const MachineLayout& machine, const CostModel& model, std::span<const ItemCost> costs,
                        std::span<const std::uint32_t> item_costs, std::uint64_t memory, WidthRule rule,
                        double work) {
  return Search(machine, model, costs, item_costs, memory, rule).best(work);
}

}  // namespace stemma
