// Which values meet at which point, and which sections make no sweep?
#include "io/config/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

using testing::ElementsAre;

struct SweepReading {
  explicit SweepReading(const std::string& section) {
    Complaints complaints("a.yaml");
    sweep = read_sweep(*parse_yaml("sweep: " + section + "\n", complaints), complaints);
    for (const Problem& problem : complaints.problems()) problems.push_back(sentence(problem));
  }
  std::vector<std::vector<std::string>> points() const {
    std::vector<std::vector<std::string>> all;
    for (std::size_t point = 0; point < sweep.points(); ++point) {
      all.emplace_back();
      const std::vector<std::size_t> values = sweep.values_at(point);
      for (std::size_t i = 0; i < values.size(); ++i)
        all.back().push_back(written(sweep.axes[i].values[values[i]]));
    }
    return all;
  }
  Sweep sweep;
  std::vector<std::string> problems;
};

/// "[0, 1, ..., n - 1]"
std::string numbers(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += (i > 0 ? ", " : "[") + std::to_string(i);
  return text + "]";
}

TEST(Sweep, TheLastKeyOfAGridIsTheFastest) {
  const SweepReading reading("{over: {runtime.strict: [true, false], seed: [7, 3, 5], report.labels: [id]}}");
  ASSERT_THAT(reading.problems, ElementsAre());
  EXPECT_THAT(reading.points(),
              ElementsAre(ElementsAre("true", "7", "id"), ElementsAre("true", "3", "id"),
                          ElementsAre("true", "5", "id"), ElementsAre("false", "7", "id"),
                          ElementsAre("false", "3", "id"), ElementsAre("false", "5", "id")));
}

TEST(Sweep, ZipTakesOneOfEach) {
  const SweepReading reading("{mode: zip, over: {runtime.strict: [true, true], seed: [7, 3]}}");
  ASSERT_THAT(reading.problems, ElementsAre());
  EXPECT_THAT(reading.points(), ElementsAre(ElementsAre("true", "7"), ElementsAre("true", "3")));
}

TEST(Sweep, WithoutTheSectionThereIsOnePoint) {
  Complaints complaints("a.yaml");
  const Sweep none = read_sweep(*parse_yaml("seed: 1\n", complaints), complaints);
  EXPECT_EQ(none.points(), 1u);
  EXPECT_TRUE(none.values_at(0).empty());
  EXPECT_TRUE(complaints.problems().empty());
}

TEST(Sweep, HasAtMostTenThousandPoints) {
  const auto grid = [](int many) {
    return SweepReading("{over: {seed: " + numbers(many) +
                        ", analyzers.tensorguard.targets: " + numbers(100) + "}}");
  };
  EXPECT_THAT(grid(100).problems, ElementsAre());
  EXPECT_EQ(grid(100).sweep.points(), 10'000u);
  const std::string refusal =
      "a.yaml:1:15: sweep.over makes more than 10000 points. Make several sweeps of it";
  EXPECT_THAT(grid(101).problems, ElementsAre(refusal));
  std::string wide = "{over: {";
  for (const char* key : {"seed", "trace.max_pairs", "compare.tests.intrinsic_fingerprint.min_layers",
                          "analyzers.spectrum.largest", "analyzers.spectrum.crosscheck_every",
                          "analyzers.tensorguard.targets", "analyzers.tensorguard.samples"})
    wide += std::string(key) + ": " + numbers(1000) + ", ";  // 10^21: more than 64 bits count
  EXPECT_THAT(SweepReading(wide + "}}").problems, ElementsAre(refusal));
}

TEST(Sweep, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{}", "1:8: sweep.over is missing. Write over: {key: [values]}, or remove sweep"},
      {"3", "1:8: sweep is a single value; it must be a mapping: key: value"},
      {"{over: {}}", "1:15: sweep.over names no key. Write key: [values], or remove sweep"},
      {"{over: {seed: [1]}, mdoe: zip}", "1:28: sweep.mdoe is not a known key. Did you mean mode?"},
      {"{over: {seed: [1]}, mode: both}", "1:34: sweep.mode = both: write one of grid, zip"},
      {"{over: {sede: [1]}}", "1:16: sweep.over: sede is not a known key. Did you mean seed?"},
      {"{over: {samples: [1]}}",
       "1:16: sweep.over: samples is not a known key here. It belongs to analyzers.tensorguard.samples"},
      {"{over: {compare.top: [1]}}",
       "1:16: sweep.over: compare.top is not supported by this version. Remove it"},
      {"{over: {analyzers.content: [1]}}",
       "1:16: sweep.over: analyzers.content is no single value. Vary keys below it"},
      {"{over: {runtime: [1]}}", "1:16: sweep.over: runtime is no single value. Vary keys below it"},
      {"{over: {output: [a, b]}}",
       "1:16: sweep.over: output may not vary: every point has a directory of its own below it"},
      {"{over: {runtime.store: [a, b]}}",
       "1:16: sweep.over: runtime.store may not vary: all points share one store"},
      {"{over: {models: [[a], [b]]}}",
       "1:16: sweep.over: models may not vary: all points ask the same models"},
      {"{over: {sweep.mode: [zip]}}", "1:16: sweep.over: sweep.mode may not vary: a sweep holds no other"},
      {"{over: {seed: 4}}",
       "1:22: sweep.over: seed is a single value; it must be a list of values, such as [1, 2]"},
      {"{over: {seed: []}}",
       "1:22: sweep.over: the list of seed is empty, so there would be no point. Give it values, or remove "
       "the key"},
      {"{over: {seed: [1, 2, 1]}}",
       "1:29: sweep.over: seed = 1 stands here again, and the same run would be made twice"},
      {"{mode: zip, over: {seed: [1, 2, 1], runtime.strict: [true, true, true]}}",
       "1:40: sweep.over: seed = 1 stands here again with the same values of all keys, and the same run "
       "would be made twice"},
      {"{mode: zip, over: {seed: [1, 2], runtime.strict: [true]}}",
       "1:41: sweep.over: runtime.strict has 1 value and seed has 2 values, but zip takes one of each at "
       "every point. Give them equally many, or write mode: grid"},
  };
  for (const auto& [section, expected] : mistakes)
    EXPECT_THAT(SweepReading(section).problems, ElementsAre("a.yaml:" + expected)) << section;
}

TEST(Sweep, EveryKeyThatIsFixedSaysWhy) {
  for (const char* path : {"schema_version", "name", "output", "models", "runtime.store", "sweep.over"})
    EXPECT_FALSE(may_vary(*std::ranges::find(key_table(), path, &Key::path))) << path;
  for (const Key& key : key_table())
    EXPECT_TRUE(!may_vary(key) || key.value) << key.path << " varies and cannot be shown";
}

}  // namespace
}  // namespace stemma
