// Is the table of a sweep right, whoever writes the records of its points, in which order, and how often?
#include "pipeline/sweep_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

namespace stemma {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Environment no_environment = [](const std::string&) { return std::nullopt; };

RunSeries series_of(const std::string& over) {
  std::vector<std::string> notes;
  return {"schema_version: 1\nmodels: [/m]\nsweep: {over: {" + over + "}}\n",
          "a.yaml",
          {},
          notes,
          no_environment};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class SweepDirectoryTest : public testing::Test {
 protected:
  SweepDirectoryTest() { fs::remove_all(root_); }
  ~SweepDirectoryTest() override { fs::remove_all(root_); }
  const fs::path root_ = fs::temp_directory_path() / ("stemma_sweep_" + std::to_string(getpid()));
};

TEST_F(SweepDirectoryTest, PointsThatWereNotBegunHaveEmptyCells) {
  const SweepDirectory directory(root_, series_of("report.labels: [id, label], description: [\"a\\tb\"]"));
  ASSERT_EQ(directory.size(), 2u);
  fs::create_directories(directory.directory(1));
  directory.write(
      1, {.started = "2026-11-21T10:02:11Z", .exit_code = 4, .seconds = 1.25, .canonical_exact = "ab"});
  const std::string first = directory.name(0), second = directory.name(1);
  EXPECT_THAT(
      lines_of(contents(root_ / "sweep.tsv")),
      ElementsAre(
          "point\tdirectory\treport.labels\tdescription\tdigest\texit_code\tstarted\tseconds\t"
          "canonical_exact",
          "0\t" + first + "\tid\ta\\tb\t" + first.substr(4) + "\t\t\t\t",
          "1\t" + second + "\tlabel\ta\\tb\t" + second.substr(4) + "\t4\t2026-11-21T10:02:11Z\t1.25\tab"));
  EXPECT_THAT(first, testing::MatchesRegex("p00-[0-9a-f]{8}"));
}

TEST_F(SweepDirectoryTest, APointThatDiedHasNoExitCode) {
  const SweepDirectory directory(root_, series_of("seed: [1, 2]"));
  fs::create_directories(directory.directory(0));
  directory.write(0,
                  {.started = "2026-11-21T10:02:11Z", .exit_code = {}, .seconds = {}, .canonical_exact = {}});
  const PointRecord record = directory.record_of(0);
  EXPECT_EQ(record.started, "2026-11-21T10:02:11Z");
  EXPECT_FALSE(record.exit_code || record.seconds);
  EXPECT_THAT(lines_of(directory.table())[1], HasSubstr("\t\t2026-11-21T10:02:11Z\t\t"));
}

TEST_F(SweepDirectoryTest, AFileThatIsNoRecordIsNone) {
  const SweepDirectory directory(root_, series_of("seed: [1, 2]"));
  fs::create_directories(directory.directory(0));
  for (const char* text : {"", "{", "[]", "{}", R"({"schema": "stemma.point/1", "started": 3})",
                           R"({"schema": "stemma.point/2", "started": "now"})"}) {
    std::ofstream(directory.directory(0) / "point.json") << text;
    EXPECT_EQ(directory.record_of(0).started, "") << text;
  }
}

TEST_F(SweepDirectoryTest, NumbersAreAsWideAsTheLargest) {
  std::string seeds;
  for (int i = 0; i < 101; ++i) seeds += (i > 0 ? ", " : "") + std::to_string(i);
  const SweepDirectory directory(root_, series_of("seed: [" + seeds + "]"));
  EXPECT_THAT(directory.name(0), testing::StartsWith("p000-"));
  EXPECT_THAT(directory.name(100), testing::StartsWith("p100-"));
  std::set<std::string> digests;
  for (std::size_t i = 0; i < directory.size(); ++i) digests.insert(directory.digest(i));
  EXPECT_EQ(digests.size(), 101u);
}

TEST_F(SweepDirectoryTest, AnotherValueRenumbersAndDoesNotMix) {
  const SweepDirectory before(root_, series_of("seed: [1, 2]")), after(root_, series_of("seed: [7, 1, 2]"));
  EXPECT_EQ(before.digest(0), after.digest(1));
  EXPECT_EQ(before.digest(1), after.digest(2));
  EXPECT_NE(before.name(0), after.name(0));
  EXPECT_NE(before.name(1), after.name(1));
  // The results are the same: only where the run lies and how it behaves differs.
  const SweepDirectory other(root_, series_of("seed: [1, 2], runtime.strict: [true]"));
  EXPECT_EQ(other.digest(1), before.digest(1));
}

TEST_F(SweepDirectoryTest, ManyWritersAtOnceLeaveEveryRecordInTheTable) {
  const RunSeries series = series_of("seed: [0, 1, 2, 3, 4, 5, 6, 7]");
  for (int round = 0; round < 20; ++round) {
    fs::remove_all(root_);
    std::vector<std::thread> writers;
    for (std::size_t point = 0; point < series.size(); ++point) {
      fs::create_directories(SweepDirectory(root_, series).directory(point));
      writers.emplace_back([&, point] {
        const SweepDirectory directory(root_, series);  // as another process would have it
        directory.write(point, {.started = "now", .exit_code = {}, .seconds = {}, .canonical_exact = {}});
        directory.write(point, {.started = "now", .exit_code = 0, .seconds = 1, .canonical_exact = "ab"});
      });
    }
    for (std::thread& writer : writers) writer.join();
    const auto lines = lines_of(contents(root_ / "sweep.tsv"));
    ASSERT_EQ(lines.size(), 9u);
    for (std::size_t i = 1; i < lines.size(); ++i)
      EXPECT_THAT(lines[i], testing::EndsWith("\t0\tnow\t1\tab"));
  }
}

TEST(MissedPoints, AreThoseThatNoTaskOfTheArrayHas) {
  const auto missed = [](std::size_t size, const char* lowest, const char* highest, const char* tasks) {
    const std::map<std::string, std::string> values = {{"SLURM_ARRAY_TASK_MIN", lowest},
                                                       {"SLURM_ARRAY_TASK_MAX", highest},
                                                       {"SLURM_ARRAY_TASK_COUNT", tasks}};
    return missed_points(size, [&](const std::string& name) { return std::optional(values.at(name)); });
  };
  EXPECT_EQ(missed(12, "0", "11", "12"), "");
  EXPECT_EQ(missed(12, "0", "15", "16"), "");
  EXPECT_EQ(missed(12, "0", "3", "4"),
            "this job array has 4 tasks from 0 to 3, and the sweep has 12 points: some are left out. Submit "
            "--array=0-11");
  EXPECT_NE(missed(12, "1", "12", "12"), "");
  EXPECT_NE(missed(12, "0", "22", "11"), "");  // every second one
  EXPECT_EQ(missed_points(12, no_environment), "");
}

}  // namespace
}  // namespace stemma
