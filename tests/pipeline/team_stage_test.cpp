// Do teams do the items that are given to them, with the answers of one rank, and what does a failing member
// cost?
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <new>
#include <stdexcept>

#include "pipeline/work_stage.hpp"
#include "tests/harness/mpi_world.hpp"
#include "tests/pipeline/book_orders.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

using test::all_ranks;

/// Models whose items go to teams of 1, 2 and 4 ranks in turn, as far as this world has them.
struct TeamStage {
  std::vector<SurveyedModel> models;
  Plan plan;
  std::map<std::uint32_t, ItemResult> results;

  explicit TeamStage(int n) {
    for (int i = 0; i < n; ++i) models.push_back(test::fake_model("m" + std::to_string(i), 3, 96));
    const int ranks = all_ranks().size();
    plan =
        make_plan(models, test::all_questions(), CostModel{},
                  MachineLayout::uniform(ranks, ranks, CoordinatorMode::automatic), std::uint64_t{4} << 30);
    int turn = 0;
    for (Item& item : plan.items) {
      const int wished = 1 << turn++ % 3;
      item.width = plan.machine.level_of(wished) >= 0 ? wished : plan.machine.level_of(2) >= 0 ? 2 : 1;
      item.seconds = 1;
    }
    std::stable_sort(plan.items.begin(), plan.items.end(),
                     [](const Item& a, const Item& b) { return a.width > b.width; });
  }
  void run(const ReaderMaker& reader) {
    OrderBook orders(models, test::all_questions());
    const ResultSink sink = [this](ItemResult r) {
      EXPECT_FALSE(results.contains(r.item)) << "item " << r.item << " came twice";
      results[r.item] = std::move(r);
    };
    run_work(all_ranks(), CoordinatorMode::automatic,
             {&plan, test::orders_from(orders, plan), sink, test::team_orders_from(orders, plan)}, reader);
  }
};

void expect_close(const Features& alone, const Features& together) {
  EXPECT_EQ(alone.subject, together.subject);
  EXPECT_EQ(together.status, alone.status) << together.problem;
  if (alone.analyzer != "spectrum") {
    EXPECT_EQ(encode(alone), encode(together)) << alone.subject;
    return;
  }
  const auto &a = alone.reals.at("value"), &b = together.reals.at("value");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], 1e-12 * a[0]) << alone.subject << " " << i;
}

TEST(TeamStage, TeamsAnswerWhatOneRankAnswers) {
  TeamStage stage(4);
  stage.run([] { return std::make_unique<test::FakeReader>(); });
  if (!all_ranks().leads()) return;
  ASSERT_EQ(stage.results.size(), stage.plan.items.size());
  OrderBook orders(stage.models, test::all_questions());
  test::FakeReader reader;
  std::size_t wide = 0;
  for (std::uint32_t i = 0; i < stage.plan.items.size(); ++i) {
    const ItemResult alone = perform(orders.order(i, stage.plan.items[i]), reader);
    const ItemResult& here = stage.results[i];
    wide += stage.plan.items[i].width > 1;
    EXPECT_EQ(alone.bytes_read, here.bytes_read) << "each byte once, however many ranks";
    ASSERT_EQ(alone.features.size(), here.features.size());
    for (std::size_t f = 0; f < alone.features.size(); ++f) expect_close(alone.features[f], here.features[f]);
  }
  EXPECT_EQ(wide > 0, all_ranks().size() >= 3);
}

/// What a reader may throw while a team reads, and the rule under which the item fails on the first rank.
struct ReadError {
  std::string rule;
  std::function<void(const SourceFile&)> raise;
};

TEST(TeamStage, AMemberThatCannotReadFailsTheItemForAllAndTheNextOneSucceeds) {
  const ReadError errors[] = {
      {"file.short_read", [](const SourceFile& file) { throw test::short_read(file); }},
      {"item.failed", [](const SourceFile&) { throw std::bad_alloc(); }},
      {"item.failed", [](const SourceFile&) { throw std::runtime_error("planted"); }}};
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit)
    for (const ReadError& error : errors)
      for (const bool when_checked : {false, true}) {
        TeamStage stage(4);
        const auto spoil = [&](const SourceFile& file) {
          if (all_ranks().rank() == culprit && file.path.starts_with("m1/")) error.raise(file);
        };
        stage.run([&] {
          return when_checked ? std::make_unique<test::FakeReader>(test::FakeReader::Hook{}, spoil)
                              : std::make_unique<test::FakeReader>(spoil);
        });
        if (!all_ranks().leads()) continue;
        ASSERT_EQ(stage.results.size(), stage.plan.items.size());
        std::size_t failed = 0;
        for (const auto& [index, result] : stage.results) {
          const Item& item = stage.plan.items[index];
          for (const Features& f : result.features) {
            failed += f.status == Status::failed;
            const bool safe = item.model != 1 || (item.width == 1 && result.rank != culprit);
            EXPECT_TRUE(!safe || f.status == Status::ok) << f.subject << ": " << f.problem;
            EXPECT_TRUE(f.status == Status::ok || error.rule == "item.failed" || f.rule == error.rule)
                << f.rule;
          }
        }
        // All four ranks of the widest team are members of its failure; narrower items may miss the culprit.
        EXPECT_TRUE(failed > 0 || all_ranks().size() < 5 || culprit == 0) << culprit;
      }
}

}  // namespace
}  // namespace stemma
