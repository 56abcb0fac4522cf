// Do tables survive hostile text, and do reals read back to the same bits?
#include "io/report/tsv.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "io/archive/storage_error.hpp"
#include "io/config/problems.hpp"

namespace stemma {
namespace {

std::filesystem::path scratch(const std::string& name) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("stemma_tsv_test_" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  return directory / name;
}

TEST(Cell, RealsReadBackToTheSameBits) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = cell(value);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value)) << text;
  }
}

TEST(Cell, MissingIsEmptyAndWordsAreWords) {
  EXPECT_EQ(cell(std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_EQ(cell(true), "true");
  EXPECT_EQ(cell(std::uint64_t{18446744073709551615U}), "18446744073709551615");
  EXPECT_EQ(cell(std::optional<std::uint64_t>()), "");
}

TEST(Cell, TextOfStrangersCannotBreakARow) {
  EXPECT_EQ(cell("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e");
  EXPECT_EQ(cell("\xe2\x80\xae"
                 "evil")
                .find('\xe2'),
            std::string::npos);
  EXPECT_EQ(cell(std::string("\x1b[31m")).find('\x1b'), std::string::npos);
}

TEST(Tsv, HeaderAloneIsATableAndWrongRowsAreBugs) {
  Tsv table({"a", "b"});
  EXPECT_EQ(table.text(), "a\tb\n");
  table.row("x", 1.5);
  EXPECT_EQ(table.text(), "a\tb\nx\t1.5\n");
  EXPECT_THROW(table.row("only one"), std::logic_error);
}

TEST(WriteWhole, ReplacesAndLeavesNoTemporary) {
  const auto path = scratch("whole.txt");
  write_whole(path, "first");
  write_whole(path, "second");
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), "second");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path.parent_path())) ++files;
  EXPECT_EQ(files, 1U);
  std::filesystem::remove_all(path.parent_path());
}

TEST(WriteWhole, APlaceThatCannotBeWrittenIsAStorageError) {
  EXPECT_THROW(write_whole("/proc/stemma/none.txt", "x"), StorageError);
}

TEST(ReadTsv, TakesNamedColumnsInTheirOrder) {
  const auto path = scratch("in.tsv");
  std::ofstream(path) << "z\tb\ta\r\n1\t2\t3\r\n4\t5\t6\n";
  const auto rows = read_tsv(path, {"a", "b"});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"3", "2"}));
  EXPECT_EQ(rows[1], (std::vector<std::string>{"6", "5"}));
  std::filesystem::remove_all(path.parent_path());
}

TEST(ReadTsv, FaultsCarryTheirLine) {
  const auto path = scratch("bad.tsv");
  std::ofstream(path) << "a\tb\n1\t2\n3\n";
  try {
    read_tsv(path, {"a", "b"});
    FAIL();
  } catch (const ConfigProblems& error) {
    EXPECT_EQ(error.problems().at(0).line, 3);
  }
  EXPECT_THROW(read_tsv(path, {"c"}), ConfigProblems);
  EXPECT_THROW(read_tsv(scratch("absent.tsv"), {"a"}), ConfigProblems);
  std::filesystem::remove_all(path.parent_path());
}

}  // namespace
}  // namespace stemma
