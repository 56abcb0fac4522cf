// Do all ranks together do every item once, and does a failing rank cost its items and nothing else?
#include "pipeline/work_stage.hpp"

#include <gtest/gtest.h>

#include <map>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/storage_error.hpp"
#include "tests/harness/mpi_world.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

using test::all_ranks;

constexpr std::uint64_t memory = std::uint64_t{4} << 30;

/// The work stage over fake models; results by item on rank 0.
struct Stage {
  std::vector<SurveyedModel> models;
  Plan plan;
  std::map<std::uint32_t, ItemResult> results;

  explicit Stage(int n) {
    for (int i = 0; i < n; ++i) models.push_back(test::fake_model("m" + std::to_string(i), 3, 32));
    plan = make_plan(models, test::all_questions(), CostModel{}, all_ranks().size(),
                     CoordinatorMode::automatic, memory);
  }
  void run(CoordinatorMode mode, const ReaderMaker& reader, const ResultSink& sink) {
    OrderBook orders(models, test::all_questions());
    run_work(all_ranks(), mode, {&plan, &orders, sink}, reader);
  }
  void run(CoordinatorMode mode, const ReaderMaker& reader) {
    run(mode, reader, [this](ItemResult r) {
      EXPECT_FALSE(results.contains(r.item)) << "item " << r.item << " came twice";
      results[r.item] = std::move(r);
    });
  }
  std::size_t failed() const {
    std::size_t n = 0;
    for (const auto& [item, result] : results)
      for (const Features& f : result.features) n += f.status == Status::failed;
    return n;
  }
};

ReaderMaker sound_reader() {
  return [] { return std::make_unique<test::FakeReader>(); };
}

std::vector<CoordinatorMode> modes() {
  if (all_ranks().size() == 1) return {CoordinatorMode::automatic};
  return {CoordinatorMode::automatic, CoordinatorMode::dedicated};
}

TEST(WorkStage, EveryItemComesBackOnceWithTheSameNumbersAsOnOneRank) {
  for (const CoordinatorMode mode : modes()) {
    Stage stage(5);
    stage.run(mode, sound_reader());
    if (!all_ranks().leads()) continue;
    ASSERT_EQ(stage.results.size(), stage.plan.items.size());
    EXPECT_EQ(stage.failed(), 0U);
    OrderBook orders(stage.models, test::all_questions());
    test::FakeReader reader;
    for (std::uint32_t i = 0; i < stage.plan.items.size(); ++i) {
      const auto alone = perform(orders.order(i, stage.plan.items[i]), reader).features;
      const auto& here = stage.results[i].features;
      ASSERT_EQ(alone.size(), here.size());
      for (std::size_t f = 0; f < alone.size(); ++f)
        EXPECT_EQ(encode(alone[f]), encode(here[f])) << alone[f].subject;
    }
  }
}

TEST(WorkStage, ARankThatCannotReadLosesItsItemsAndNobodyElses) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    Stage stage(4);
    const bool mine = all_ranks().rank() == culprit;
    stage.run(CoordinatorMode::automatic, [mine] {
      return std::make_unique<test::FakeReader>([mine](const SourceFile&) { return mine; });
    });
    if (!all_ranks().leads()) continue;
    ASSERT_EQ(stage.results.size(), stage.plan.items.size()) << "culprit " << culprit;
    for (const auto& [item, result] : stage.results)
      for (const Features& f : result.features)
        if (f.status == Status::failed) {
          EXPECT_EQ(f.rule, "file.short_read");
          EXPECT_NE(f.problem.find("planted"), std::string::npos);
        }
    if (all_ranks().size() == 1) {
      EXPECT_GT(stage.failed(), 0U);
    }
  }
}

TEST(WorkStage, OneBadFileCostsItsOwnItemsWhereverTheyRun) {
  Stage stage(4);
  stage.run(CoordinatorMode::automatic, [] {
    return std::make_unique<test::FakeReader>([](const SourceFile& file) { return file.path == "m2/1"; });
  });
  if (!all_ranks().leads()) return;
  ASSERT_EQ(stage.results.size(), stage.plan.items.size());
  for (const auto& [index, result] : stage.results) {
    const Item& item = stage.plan.items[index];
    for (const Features& f : result.features) {
      const bool bad = item.model == 2 && f.subject.starts_with("layers/1/");  // layer 1 lies in that file
      EXPECT_EQ(f.status == Status::failed, bad) << f.subject;
    }
  }
}

TEST(WorkStage, AFullDiskStopsAllRanksWithOneReasonAndTheyStayInStep) {
  for (int after = 0; after < 4; ++after) {
    Stage stage(4);
    bool thrown = false;
    int taken = 0;
    try {
      stage.run(CoordinatorMode::automatic, sound_reader(), [&](const ItemResult&) {
        if (taken++ == after) throw StorageError("store/run.rec", "", "write", ENOSPC);
      });
    } catch (const StorageError& error) {
      thrown = true;
      EXPECT_TRUE(all_ranks().leads());
      EXPECT_TRUE(error.no_space());
    } catch (const FailedElsewhere& error) {
      thrown = true;
      EXPECT_EQ(error.rank(), 0);
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(all_ranks().all_reduce_min(1), 1);
  }
  Stage next(2);  // the next stage on the same ranks works
  next.run(CoordinatorMode::automatic, sound_reader());
  if (all_ranks().leads()) {
    EXPECT_EQ(next.results.size(), next.plan.items.size());
  }
}

}  // namespace
}  // namespace stemma
