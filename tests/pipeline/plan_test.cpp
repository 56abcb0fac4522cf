// Is a plan a complete, reproducible partition of the work, with an honest bound?
#include "pipeline/plan.hpp"

#include <gtest/gtest.h>

#include <set>

#include "pipeline/refusal.hpp"
#include "pipeline/simulation.hpp"
#include "pipeline/width_search.hpp"
#include "pipeline/work_order.hpp"
#include "tests/pipeline/fake_models.hpp"
#include "tests/pipeline/llama_models.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t memory = std::uint64_t{4} << 30;

std::vector<SurveyedModel> corpus(int n) {
  std::vector<SurveyedModel> models;
  for (int i = 0; i < n; ++i) models.push_back(test::fake_model("m" + std::to_string(i), 2 + i, 64));
  return models;
}

Plan plan_for(const std::vector<SurveyedModel>& models, int ranks, std::uint64_t budget = memory) {
  return make_plan(models, test::all_questions(), CostModel{},
                   MachineLayout::uniform(ranks, 8, CoordinatorMode::automatic), budget);
}

TEST(Plan, EveryTensorAndEverySubjectIsInExactlyOneItem) {
  const auto models = corpus(4);
  const Plan plan = plan_for(models, 8);
  std::set<std::pair<std::uint32_t, std::uint32_t>> tensors;
  std::size_t subjects = 0;
  for (const Item& item : plan.items) {
    subjects += item.subjects;
    if (item.portion == Portion::apart) continue;  // reads once more what others read
    for (const std::uint32_t t : item.tensors) EXPECT_TRUE(tensors.insert({item.model, t}).second);
  }
  std::size_t all_tensors = 0, all_subjects = 0;
  for (const SurveyedModel& m : models) {
    all_tensors += m.model->checkpoint.tensors.size();
    all_subjects += subjects_of(m, test::all_questions()).size();
  }
  EXPECT_EQ(tensors.size(), all_tensors);
  EXPECT_EQ(subjects, all_subjects);
}

TEST(Plan, OrdersHoldWhatTheirItemsPromise) {
  const auto models = corpus(3);
  const Plan plan = plan_for(models, 2);
  OrderBook book(models, test::all_questions());
  std::set<std::string> seen;
  for (std::uint32_t i = 0; i < plan.items.size(); ++i) {
    const WorkOrder order = book.order(i, plan.items[i]);
    EXPECT_EQ(order.streamed, plan.items[i].tensors.size());
    EXPECT_EQ(order.subjects.size(), plan.items[i].subjects);
    for (const Subject& s : order.subjects) {
      EXPECT_TRUE(seen.insert(std::to_string(order.model) + s.analyzer + s.path).second);
      for (const std::uint32_t m : s.matrices) ASSERT_LT(m, order.matrices.size());
    }
    // Through bytes and back: the same order.
    const auto back = decode_orders(encode(std::span(&order, 1)));
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(encode(back), encode(std::span(&order, 1)));
    ASSERT_EQ(back[0].matrices.size(), order.matrices.size());
    for (std::size_t m = 0; m < order.matrices.size(); ++m)
      EXPECT_EQ(back[0].matrices[m].role, order.matrices[m].role);
    EXPECT_EQ(back[0].tensors.back().shape, order.tensors.back().shape);
  }
}

TEST(Plan, TheSameInputsGiveTheSameDigestAndOthersAnother) {
  const auto models = corpus(3);
  EXPECT_EQ(plan_for(models, 16).digest, plan_for(models, 16).digest);
  EXPECT_NE(plan_for(models, 16).digest, plan_for(models, 17).digest);
  EXPECT_NE(plan_for(models, 16).digest, plan_for(corpus(4), 16).digest);
}

TEST(Plan, WhatIsKnownIsLeftOut) {
  const auto models = corpus(4);
  const Plan whole = plan_for(models, 3);
  Plan rest = whole;
  std::vector<std::uint32_t> even;
  std::uint64_t bytes = 0;
  double seconds = 0;
  for (std::uint32_t i = 0; i < whole.items.size(); ++i) {
    if (i % 2 == 0) {
      even.push_back(i);
      continue;
    }
    bytes += whole.items[i].bytes;
    seconds += whole.items[i].width * whole.items[i].seconds;
  }
  leave_out(rest, even);
  EXPECT_EQ(rest.items.size(), whole.items.size()) << "indices stay";
  EXPECT_EQ(rest.digest, whole.digest);
  EXPECT_EQ(rest.read_bytes, bytes);
  EXPECT_NEAR(rest.rank_seconds, seconds, 1e-9 * whole.rank_seconds);
  EXPECT_LT(rest.makespan, whole.makespan);
  EXPECT_GE(rest.makespan, rest.lower_bound * (1 - 1e-9));
  const auto tasks = tasks_of(rest, rest.machine);
  for (std::uint32_t i = 0; i < tasks.size(); ++i) EXPECT_EQ(tasks[i].feasible, i % 2 == 1);
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < whole.items.size(); ++i) all.push_back(i);
  leave_out(rest = whole, all);
  EXPECT_EQ(rest.read_bytes, 0U);
  EXPECT_NEAR(rest.makespan, 0, 1e-12);
}

TEST(Plan, TheMakespanLiesBetweenTheBoundAndGrahamsGuarantee) {
  const auto models = corpus(12);
  for (const int ranks : {1, 2, 5, 31, 200, 4096}) {
    const Plan plan = plan_for(models, ranks);
    double longest = 0;
    for (const Item& item : plan.items) longest = std::max(longest, item.seconds);
    EXPECT_GE(plan.makespan, plan.lower_bound * (1 - 1e-12)) << ranks;
    // Longest first: at most 4/3 - 1/(3 P) of the optimum (Graham 1969), which the bound does not exceed...
    // but the bound may lie below the optimum, so the weaker guarantee of list scheduling is what can be
    // asserted; what is listed are batches of up to 0.1 s.
    EXPECT_LE(plan.makespan, plan.work / plan.machine.workers() + std::max(longest, 0.1) + 1e-12) << ranks;
  }
}

TEST(Plan, TheOrderOfItemsDoesNotDependOnTheMachine) {
  const auto models = corpus(6);
  const Plan one = plan_for(models, 1), many = plan_for(models, 64);
  ASSERT_EQ(one.items.size(), many.items.size());
  for (std::size_t i = 0; i < one.items.size(); ++i) {
    EXPECT_EQ(one.items[i].model, many.items[i].model);
    EXPECT_EQ(one.items[i].tensors, many.items[i].tensors);
  }
}

/// All but those whose subjects are apart, which would be the longest items of a large model.
std::vector<Question> joined_questions() {
  std::vector<Question> questions = test::all_questions();
  std::erase_if(questions, [](const Question& q) { return q.method().name() == "tensorguard"; });
  return questions;
}

Plan large_plan(const std::vector<SurveyedModel>& models, int ranks, std::uint64_t budget = memory) {
  return make_plan(models, joined_questions(), CostModel{},
                   MachineLayout::uniform(ranks, 128, CoordinatorMode::automatic), budget);
}

TEST(Plan, TwoHundredModelsOf8BRunNarrowOn512Ranks) {
  std::vector<SurveyedModel> models;
  for (int i = 0; i < 200; ++i) models.push_back(test::llama_model("m" + std::to_string(i), test::llama_8b));
  const Plan plan = large_plan(models, 512);
  EXPECT_GE(plan.efficiency(), 0.9);
  EXPECT_GE(plan.lower_bound / plan.uneven_makespan, 0.9);
  for (const Item& item : plan.items) EXPECT_EQ(item.width, 1);
  EXPECT_NEAR(plan.width_efficiency(), 1, 1e-9);
}

TEST(Plan, OneModelOf405BUsesSixteenThousandRanks) {
  const std::vector<SurveyedModel> models = {test::llama_model("large", test::llama_405b)};
  const Plan plan = large_plan(models, 16384);
  EXPECT_GE(plan.efficiency(), 0.6);
  EXPECT_GT(plan.again_bytes, 0U);
  EXPECT_NEAR(plan.width_efficiency() * plan.packing_efficiency(),
              plan.work / (plan.machine.workers() * plan.makespan), 1e-12);
  EXPECT_GE(plan.makespan, plan.lower_bound);
}

/// (analyzer, path) of all subjects that the orders of a plan serve; each must occur once.
std::multiset<std::string> served(const Plan& plan, const std::vector<SurveyedModel>& models) {
  std::multiset<std::string> all;
  OrderBook book(models, joined_questions());
  for (std::uint32_t i = 0; i < plan.items.size(); ++i) {
    const WorkOrder order = book.order(i, plan.items[i]);
    EXPECT_EQ(order.subjects.size(), plan.items[i].subjects);
    for (const Subject& s : order.subjects)
      all.insert(std::to_string(order.model) + " " + s.analyzer + " " + s.path);
  }
  return all;
}

TEST(Plan, SplitItemsServeEverySubjectOnce) {
  test::LlamaShape shape = test::llama_405b;
  shape.layers = 2;
  const std::vector<SurveyedModel> models = {test::llama_model("large", shape)};
  const Plan whole = large_plan(models, 1, std::uint64_t{1} << 40), finer = large_plan(models, 16384);
  ASSERT_EQ(whole.again_bytes, 0U);
  ASSERT_GT(finer.again_bytes, 0U);
  const auto all = served(finer, models);
  EXPECT_EQ(all, served(whole, models));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  std::uint64_t again = 0;
  for (const Item& item : finer.items)
    if (item.portion == Portion::decompositions) again += item.bytes;
  EXPECT_EQ(again, finer.again_bytes);
}

TEST(Plan, WhatDoesNotFitOnOneRankGetsATeamThatHasTheMemory) {
  test::LlamaShape shape = test::llama_70b;
  shape.layers = 1;
  const std::vector<SurveyedModel> models = {test::llama_model("m", shape)};
  constexpr std::uint64_t budget = 800'000'000;
  const Plan alone = large_plan(models, 1, budget), together = large_plan(models, 17, budget);
  EXPECT_FALSE(alone.infeasible.empty());
  EXPECT_TRUE(together.infeasible.empty());
  bool wide = false;
  for (const Item& item : together.items) {
    EXPECT_LE(item.memory, budget);
    EXPECT_EQ(item.memory, together.costs[item.cost].memory_on(item.width) + (item.asks ? item.bytes : 0));
    wide |= item.width > 1;
  }
  EXPECT_TRUE(wide);
  for (const std::uint32_t i : alone.infeasible)
    EXPECT_GT(alone.costs[alone.items[i].cost].memory_on(1), budget);
}

TEST(Plan, SizeAloneDecidesWidthsWhenSpectraAreToBeReproducible) {
  test::LlamaShape shape = test::llama_405b;
  shape.layers = 2;
  const std::vector<SurveyedModel> models = {test::llama_model("large", shape),
                                             test::llama_model("small", test::llama_1b)};
  std::vector<int> widths;
  for (const int ranks : {5, 9, 128, 512}) {
    const Plan plan = make_plan(models, test::all_questions(), CostModel{},
                                MachineLayout::uniform(ranks, 128, CoordinatorMode::automatic),
                                std::uint64_t{1} << 40, WidthRule::by_size);
    EXPECT_TRUE(plan.infeasible.empty());
    for (const Item& item : plan.items) EXPECT_NE(item.portion, Portion::decompositions);
    std::vector<int> here;
    for (const Item& item : plan.items) here.push_back(item.width);
    if (widths.empty()) widths = here;
    EXPECT_EQ(here, widths);
    for (const Item& item : plan.items)
      EXPECT_EQ(item.width, plan.costs[item.cost].largest_k() > 8192 ? 4 : 1);
  }
  EXPECT_EQ(std::set<int>(widths.begin(), widths.end()), (std::set<int>{1, 4}));
}

TEST(Plan, WidthBySizeKeepsTheShareOfARankBelowHalfAGibibyte) {
  const std::pair<std::uint64_t, int> steps[] = {{0, 1},      {8192, 1},   {8193, 4},   {16384, 4},
                                                 {16385, 16}, {32768, 16}, {32769, 64}, {200'000, 64}};
  for (const auto& [k, width] : steps) EXPECT_EQ(width_by_size(k), width) << k;
}

TEST(Plan, SaysWhyAnItemFitsNowhere) {
  test::LlamaShape shape = test::llama_405b;
  shape.layers = 1;
  const std::vector<SurveyedModel> models = {test::llama_model("large", shape)};
  const auto first_refusal = [&](int ranks, std::uint64_t budget, WidthRule rule) {
    const Plan plan = make_plan(models, test::all_questions(), CostModel{},
                                MachineLayout::uniform(ranks, 128, CoordinatorMode::automatic), budget, rule);
    EXPECT_FALSE(plan.infeasible.empty());
    return plan.infeasible.empty() ? Refusal{} : refusal(plan.items[plan.infeasible.front()], plan);
  };
  const Refusal narrow = first_refusal(3, std::uint64_t{1} << 40, WidthRule::by_size);
  EXPECT_EQ(narrow.rule, "plan.width");
  EXPECT_NE(narrow.sentence.find("exactly 4 ranks"), std::string::npos) << narrow.sentence;
  EXPECT_NE(narrow.sentence.find("here 16384"), std::string::npos) << narrow.sentence;
  EXPECT_NE(narrow.suggestion.find("at least 5 ranks"), std::string::npos) << narrow.suggestion;
  const Refusal small = first_refusal(9, 1'000'000'000, WidthRule::by_size);
  EXPECT_EQ(small.rule, "plan.memory");
  EXPECT_NE(small.sentence.find("on each of 4 ranks"), std::string::npos) << small.sentence;
  const Refusal anyhow = first_refusal(9, 1'000'000'000, WidthRule::soonest);
  EXPECT_EQ(anyhow.rule, "plan.memory");
  EXPECT_NE(anyhow.sentence.find("on one rank and"), std::string::npos) << anyhow.sentence;
}

TEST(WidthSearch, NeverWorseThanNarrowAndNearTheBestOfAllAssignments) {
  // Every assignment of widths 1, 2 and 4 to five items, on four ranks.
  const auto machine = MachineLayout::uniform(5, 5, CoordinatorMode::dedicated);
  const CostModel model;
  for (const std::vector<std::uint64_t>& sides : {std::vector<std::uint64_t>{4096},
                                                  {4096, 4096},
                                                  {4096, 3072, 2048, 2048, 1024},
                                                  {8192, 2048, 2048, 2048, 2048},
                                                  {3072, 3072, 3072, 3072, 3072}}) {
    std::vector<ItemCost> costs;
    std::vector<std::uint32_t> items;
    for (const std::uint64_t k : sides) {
      items.push_back(static_cast<std::uint32_t>(costs.size()));
      costs.push_back({.decompositions = {{{.dtype = Dtype::bf16, .rows = k, .cols = k}}}});
    }
    const WidthPlan plan = search_widths(machine, model, costs, items, std::uint64_t{1} << 40);
    std::size_t assignments = 1;
    for (std::size_t i = 0; i < items.size(); ++i) assignments *= 3;
    double best = 1e300, narrow = 0;
    for (std::size_t a = 0; a < assignments; ++a) {
      std::vector<Task> tasks;
      for (std::size_t i = 0, rest = a; i < items.size(); ++i, rest /= 3) {
        const int level = static_cast<int>(rest % 3);
        tasks.push_back({model.seconds(costs[i], 1 << level), level});
      }
      const double makespan = simulate(machine, tasks).makespan;
      best = std::min(best, makespan);
      if (a == 0) narrow = makespan;
    }
    EXPECT_LE(plan.makespan, narrow * (1 + 1e-12));
    EXPECT_LE(plan.makespan, best * 1.1) << sides.size();
    EXPECT_GE(plan.makespan, plan.lower_bound * (1 - 1e-12));
    EXPECT_LE(plan.lower_bound, best * (1 + 1e-12));
  }
}

TEST(Plan, AnItemBeyondTheMemoryOfARankIsNamedBeforeWorkBegins) {
  const auto models = corpus(1);
  const Plan plan = plan_for(models, 2, fixed_memory);
  EXPECT_EQ(plan.infeasible.size(), plan.items.size());
  EXPECT_TRUE(plan_for(models, 2).infeasible.empty());
}

TEST(Plan, AModelThatCouldNotBeReadTakesNoPart) {
  auto models = corpus(3);
  models[1].model.reset();
  for (const Item& item : plan_for(models, 2).items) EXPECT_NE(item.model, 1U);
}

TEST(Plan, EveryByteIsReadOnce) {
  const auto models = corpus(5);
  const Plan plan = plan_for(models, 3);
  std::uint64_t bytes = 0;
  for (const SurveyedModel& m : models)
    for (const StoredTensor& t : m.model->checkpoint.tensors) bytes += t.bytes;
  EXPECT_EQ(plan.weight_bytes, bytes);
  EXPECT_EQ(plan.read_bytes - plan.again_bytes, bytes);  // these models have no companions
}

}  // namespace
}  // namespace stemma
