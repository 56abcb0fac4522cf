// Do all ranks together do every item once, and what does a failing rank cost?
#include "pipeline/work_stage.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/storage_error.hpp"
#include "tests/harness/mpi_world.hpp"
#include "tests/pipeline/book_orders.hpp"
#include "tests/pipeline/fake_models.hpp"
#include "tests/pipeline/short_memory.hpp"

namespace stemma {
namespace {

using test::all_ranks;

constexpr std::uint64_t memory = std::uint64_t{4} << 30;

/// The work stage over fake models; results by item on rank 0.
struct Stage {
  std::vector<SurveyedModel> models;
  Plan plan;
  std::map<std::uint32_t, ItemResult> results;

  explicit Stage(int n, CoordinatorMode mode = CoordinatorMode::automatic) {
    for (int i = 0; i < n; ++i) models.push_back(test::fake_model("m" + std::to_string(i), 3, 32));
    const int ranks = all_ranks().size();
    plan = make_plan(models, test::all_questions(), CostModel{}, MachineLayout::uniform(ranks, ranks, mode),
                     memory);
  }
  /// As if every item took long: no batch holds two, so every rank gets some.
  void one_item_at_a_time() {
    for (Item& item : plan.items) item.seconds = 100;
  }
  void run(CoordinatorMode mode, const ReaderMaker& reader, const ResultSink& sink) {
    OrderBook orders(models, test::all_questions());
    run_work(all_ranks(), mode, {&plan, test::orders_from(orders, plan), sink, {}}, reader);
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
    Stage stage(5, mode);
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

/// What a reader may throw while an item is done, and the rule under which the item fails.
struct ReadError {
  std::string rule;
  std::function<void(const SourceFile&)> raise;
};
std::vector<ReadError> read_errors() {
  return {{"file.short_read", [](const SourceFile& file) { throw test::short_read(file); }},
          {"item.out_of_memory", [](const SourceFile&) { throw std::bad_alloc(); }},
          {"item.failed", [](const SourceFile&) { throw std::runtime_error("planted"); }},
          {"item.failed", [](const SourceFile&) { throw 7; }}};
}

TEST(WorkStage, ARankThatCannotReadLosesItsItemsAndNobodyElses) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit)
    for (const ReadError& error : read_errors()) {
      Stage stage(4 * all_ranks().size());
      stage.one_item_at_a_time();
      const bool mine = all_ranks().rank() == culprit;
      stage.run(CoordinatorMode::automatic, [&] {
        return std::make_unique<test::FakeReader>([&error, mine](const SourceFile& file) {
          if (mine) error.raise(file);
          std::this_thread::sleep_for(std::chrono::milliseconds(2));  // so that the culprit gets its share
        });
      });
      if (!all_ranks().leads()) continue;
      EXPECT_EQ(stage.results.size(), stage.plan.items.size());
      std::size_t lost = 0;
      for (const auto& [item, result] : stage.results) {
        lost += result.rank == culprit;
        for (const Features& f : result.features) {
          EXPECT_EQ(f.status == Status::failed, result.rank == culprit) << f.subject << ": " << f.problem;
          EXPECT_EQ(f.rule, result.rank == culprit ? error.rule : "") << f.subject;
        }
      }
      EXPECT_GT(lost, 0U) << "culprit " << culprit;
    }
}

TEST(WorkStage, OneBadFileCostsItsOwnItemsWhereverTheyRun) {
  for (const ReadError& error : read_errors()) {
    Stage stage(4);
    stage.run(CoordinatorMode::automatic, [&] {
      return std::make_unique<test::FakeReader>([&](const SourceFile& file) {
        if (file.path == "m2/1") error.raise(file);
      });
    });
    if (!all_ranks().leads()) continue;
    EXPECT_EQ(stage.results.size(), stage.plan.items.size());
    EXPECT_GT(stage.failed(), 0U);
    for (const auto& [index, result] : stage.results) {
      const Item& item = stage.plan.items[index];
      EXPECT_EQ(result.spent.size(), result.features.size());
      for (std::size_t i = 0; i < result.features.size(); ++i) {
        const Features& f = result.features[i];
        // Layer 1 lies in that file; a subject apart reads several.
        const bool bad =
            item.model == 2 && (f.subject.starts_with("layers/1/") || item.portion == Portion::apart);
        EXPECT_EQ(f.status == Status::failed, bad) << f.subject;
        EXPECT_EQ(f.rule, bad ? error.rule : "") << f.subject;
        EXPECT_GE(result.spent[i], 0);
        EXPECT_LE(result.spent[i], result.seconds);
      }
    }
  }
}

/// Runs a stage that must fail on every rank, and afterwards a sound one. `culprit` is the rank whose own
/// exception it is; `says` stands in the sentence on all ranks.
void expect_failure(Stage& stage, const ReaderMaker& reader, const ResultSink& sink, int culprit,
                    const std::string& says) {
  std::string sentence;
  int elsewhere = -1;
  try {
    stage.run(CoordinatorMode::automatic, reader, sink);
  } catch (const FailedElsewhere& error) {
    sentence = error.what();
    elsewhere = error.rank();
  } catch (const std::exception& error) {
    sentence = error.what();
  }
  EXPECT_NE(sentence.find(says), std::string::npos) << "rank " << all_ranks().rank() << ": " << sentence;
  EXPECT_EQ(elsewhere, all_ranks().rank() == culprit ? -1 : culprit);
  Stage next(2);  // the ranks are still in step
  next.run(CoordinatorMode::automatic, sound_reader());
  if (all_ranks().leads()) {
    EXPECT_EQ(next.results.size(), next.plan.items.size());
    EXPECT_EQ(next.failed(), 0U);
  }
}

TEST(WorkStage, AReaderThatCannotBeMadeEndsTheStageOnAllRanks) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    Stage stage(4);
    const ReaderMaker reader = [&]() -> std::unique_ptr<ByteReader> {
      if (all_ranks().rank() == culprit) throw std::bad_alloc();
      return std::make_unique<test::FakeReader>();
    };
    expect_failure(
        stage, reader, [](const ItemResult&) { ADD_FAILURE() << "no work was to be handed out"; }, culprit,
        "bad_alloc");
  }
}

TEST(WorkStage, AWorkerThatFailsOutsideOfItemsEndsTheStageOnAllRanks) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    Stage stage(4 * all_ranks().size());
    stage.one_item_at_a_time();
    const bool mine = all_ranks().rank() == culprit;
    int counts = 0;
    // perform() asks for the bytes read before the first subject begins and after the last has ended: each
    // item asks twice, and the fourth time is in the culprit's second item.
    const ReaderMaker reader = [&] {
      return std::make_unique<test::FakeReader>(
          [mine](const SourceFile&) {
            if (!mine) std::this_thread::sleep_for(std::chrono::milliseconds(2));
          },
          [](const SourceFile&) {},
          [&counts, mine] {
            if (mine && ++counts == 4) throw std::runtime_error("planted outside of an item");
          });
    };
    std::set<std::uint32_t> items;
    std::size_t from_culprit = 0;
    const auto sink = [&](const ItemResult& r) {
      EXPECT_TRUE(items.insert(r.item).second);
      from_culprit += r.rank == culprit;
    };
    expect_failure(stage, reader, sink, culprit, "planted outside of an item");
    if (all_ranks().leads()) {
      EXPECT_EQ(from_culprit, 1U) << "what was sent before arrives";
      EXPECT_LT(items.size(), stage.plan.items.size());
    }
  }
}

TEST(WorkStage, AResultThatDoesNotFitInMemoryEndsTheStageOnAllRanks) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    Stage stage(4 * all_ranks().size());
    stage.one_item_at_a_time();
    const bool mine = all_ranks().rank() == culprit;
    int counts = 0;
    const ReaderMaker reader = [&] {
      return std::make_unique<test::FakeReader>(
          [mine](const SourceFile&) {
            if (!mine) std::this_thread::sleep_for(std::chrono::milliseconds(2));
          },
          [](const SourceFile&) {},
          [&counts, mine] {  // after the second time, nothing but the encoding takes memory
            if (mine && ++counts == 2) test::refuse_once_from = 1;
          });
    };
    expect_failure(
        stage, reader, [](const ItemResult&) {}, culprit, "bad_alloc");
    EXPECT_EQ(test::refuse_once_from, 0U) << "it was refused";
  }
}

TEST(WorkStage, OrdersThatCannotBeReadEndTheStageOnAllRanks) {
  for (const std::size_t bad : {0, 3}) {
    Stage stage(4 * all_ranks().size());
    stage.one_item_at_a_time();
    OrderBook book(stage.models, test::all_questions());
    std::size_t batches = 0;
    const auto orders = [&,
                         sound = test::orders_from(book, stage.plan)](std::span<const std::uint32_t> items) {
      return batches++ == bad ? std::vector<std::byte>(3, std::byte{0xFF}) : sound(items);
    };
    std::string sentence;
    try {
      run_work(all_ranks(), CoordinatorMode::automatic, {&stage.plan, orders, [](const ItemResult&) {}, {}},
               sound_reader());
    } catch (const std::exception& error) {
      sentence = error.what();
    }
    EXPECT_NE(sentence.find("parse error"), std::string::npos) << sentence;
  }
}

TEST(WorkStage, OrdersThatCannotBeWrittenEndTheStageOnAllRanks) {
  for (const std::size_t bad : {0, 1, 3}) {
    Stage stage(4 * all_ranks().size());
    stage.one_item_at_a_time();
    OrderBook book(stage.models, test::all_questions());
    std::size_t batches = 0;
    const auto orders = [&,
                         sound = test::orders_from(book, stage.plan)](std::span<const std::uint32_t> items) {
      if (batches++ == bad) throw std::runtime_error("planted in an order");
      return sound(items);
    };
    std::string sentence;
    try {
      run_work(all_ranks(), CoordinatorMode::automatic, {&stage.plan, orders, [](const ItemResult&) {}, {}},
               sound_reader());
    } catch (const std::exception& error) {
      sentence = error.what();
    }
    EXPECT_NE(sentence.find("planted in an order"), std::string::npos) << sentence;
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
