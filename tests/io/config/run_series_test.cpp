// Is every point of a sweep the configuration that its overrides would make, and has every wrong value its
// place?
#include "io/config/run_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/config/reading.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct SeriesReading {
  explicit SeriesReading(const std::string& text, const std::vector<std::string>& arguments = {}) {
    std::vector<Override> overrides;
    for (const std::string& argument : arguments)
      overrides.push_back({argument, "argument " + std::to_string(overrides.size() + 1)});
    try {
      series.emplace(text, "/etc/a.yaml", overrides, notes, fixed_environment());
    } catch (const ConfigProblems& error) {
      for (const Problem& problem : error.problems()) problems.push_back(sentence(problem));
    }
  }
  std::optional<RunSeries> series;
  std::vector<std::string> problems, notes;
};

TEST(RunSeries, WithoutASweepIsOneRun) {
  const SeriesReading reading(head + "seed: 4\n");
  ASSERT_TRUE(reading.series);
  EXPECT_FALSE(reading.series->is_sweep());
  ASSERT_EQ(reading.series->size(), 1u);
  EXPECT_EQ(reading.series->at(0).config, *Reading(head + "seed: 4\n").config);
  EXPECT_THAT(reading.series->at(0).changes, IsEmpty());
}

TEST(RunSeries, APointIsWhatItsOverridesMake) {
  const SeriesReading reading(
      head +
      "seed: 9\nsweep:\n  over:\n    analyzers.tensorguard.mode: [faithful, balanced]\n"
      "    runtime.memory_per_rank: [auto, 1GiB, 2GiB]\n    architectures: [[/x, /y], [z]]\n");
  ASSERT_TRUE(reading.series) << testing::PrintToString(reading.problems);
  ASSERT_EQ(reading.series->size(), 12u);
  EXPECT_THAT(reading.notes, IsEmpty());
  const RunSeries::Point point = reading.series->at(9);
  EXPECT_THAT(point.values, ElementsAre("balanced", "1GiB", "[\"/etc/z\"]"));
  EXPECT_THAT(point.changes, ElementsAre("analyzers.tensorguard.mode=balanced",
                                         "runtime.memory_per_rank=1GiB", "architectures=[\"/etc/z\"]"));
  // Paths of values begin at the file, as all paths in it do, and are said absolute to who repeats the point.
  for (std::size_t i = 0; i < reading.series->size(); ++i) {
    const RunSeries::Point each = reading.series->at(i);
    EXPECT_EQ(each.config, *Reading(head + "seed: 9\n", each.changes).config) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(each.config, reading.series->at(j).config) << i << ' ' << j;
  }
}

TEST(RunSeries, EveryWrongValueHasItsPlace) {
  const SeriesReading reading(head +
                              "nome: x\nsweep:\n  over:\n    seed: [1, x, -3]\n"
                              "    compare.pairs: [all, listed]\n    report.labels: [id, ids, '']\n");
  EXPECT_THAT(
      reading.problems,
      ElementsAre("/etc/a.yaml:3:1: nome is not a known key. Did you mean name?",
                  "/etc/a.yaml:6:15: seed = x is not a whole number in plain decimal digits (YAML "
                  "readers disagree about others)",
                  "/etc/a.yaml:6:18: seed = -3 is below 0",
                  "/etc/a.yaml:7:26: compare.pairs = listed needs compare.list, a TSV with columns a and b",
                  "/etc/a.yaml:8:25: report.labels = ids: write one of label, id",
                  "/etc/a.yaml:8:30: report.labels = \"\": write one of label, id"));
}

TEST(RunSeries, KeysThatBelongTogetherMayVaryTogether) {
  const SeriesReading reading(
      head + "compare: {pairs: listed}\nsweep:\n  over:\n    compare.list: [a.tsv, b.tsv]\n");
  ASSERT_TRUE(reading.series) << testing::PrintToString(reading.problems);
  EXPECT_EQ(reading.series->at(1).config.compare.list, "/etc/b.tsv");
}

TEST(RunSeries, ProblemsOfTheSectionAndOfTheRestStandTogether) {
  const SeriesReading reading("schema_version: 1\nmodels: [{id: x}]\nseed: -1\nsweep: {over: {seed: []}}\n");
  EXPECT_THAT(
      reading.problems,
      ElementsAre(
          "/etc/a.yaml:2:10: models[0] names no model. Give it one of path, hf, glob, sheet and adapter",
          "/etc/a.yaml:3:7: seed = -1 is below 0",
          "/etc/a.yaml:4:22: sweep.over: the list of seed is empty, so there would be no point. "
          "Give it values, or remove the key"));
}

TEST(RunSeries, ArgumentsChangeASweep) {
  const std::string text = head + "sweep: {over: {seed: [1, 2]}}\n";
  EXPECT_EQ(SeriesReading(text, {"sweep.over.seed=[3, 4, 5]"}).series->size(), 3u);
  EXPECT_EQ(SeriesReading(text, {"sweep.over.seed+=9"}).series->at(2).config.seed, 9);
  EXPECT_FALSE(SeriesReading(text, {"~sweep"}).series->is_sweep());
  const SeriesReading more(text, {"sweep.over.analyzers.tensorguard.samples=[5, 15]"});
  ASSERT_TRUE(more.series) << testing::PrintToString(more.problems);
  EXPECT_THAT(more.series->at(1).values, ElementsAre("1", "15"));
  EXPECT_THAT(SeriesReading(text, {"sweep.over.analyzers.tensorguard.samples=[5, 0]"}).problems,
              ElementsAre("argument 1: analyzers.tensorguard.samples = 0 is below 1"));
}

TEST(RunSeries, AnArgumentThatCountsAtNoPointIsNoted) {
  const SeriesReading reading(head + "sweep: {over: {seed: [1, 2]}}\n", {"seed=5", "description=x"});
  ASSERT_TRUE(reading.series);
  EXPECT_EQ(reading.series->at(1).config.seed, 2);
  EXPECT_EQ(reading.series->at(1).config.description, "x");
  EXPECT_THAT(reading.notes,
              ElementsAre("argument 1: seed varies in this sweep, so this value counts at no point"));
}

}  // namespace
}  // namespace stemma
