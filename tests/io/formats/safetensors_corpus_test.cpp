// Does the reader judge a corpus of sound and broken files as its manifest does?
#include <gtest/gtest.h>

#include <sstream>

#include "io/formats/file_reader.hpp"
#include "io/formats/safetensors.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

/// Files that the manifest accepts and we refuse on purpose, each with the rule.
const std::map<std::string, std::string>& stricter_here() {
  static const std::map<std::string, std::string> exceptions{
      // A name that C programs cut or cannot show is no name for a role, a path or a report.
      {"accept_name_empty.safetensors", "safetensors.name_invalid"},
      {"accept_name_with_escaped_nul.safetensors", "safetensors.name_invalid"},
      // No weight has more than eight dimensions; bounds on tables are bounds on memory.
      {"accept_rank_40.safetensors", "safetensors.rank_too_large"},
      // Dimensions of 2^63 and more do not fit signed sizes, even where a zero makes the product vanish.
      {"accept_zero_before_huge_dimension.safetensors", "safetensors.shape_overflow"},
      // A header nests three deep; deeper text serves no reader.
      {"accept_unknown_field_100_deep.safetensors", "safetensors.header_too_deep"},
  };
  return exceptions;
}

/// Rules of the corpus, each with ours. R5 and R6 say less than we do; only their verdict is compared.
const std::map<std::string, std::string>& rules() {
  static const std::map<std::string, std::string> known{
      {"R1", "safetensors.header_too_small"},   {"R2", "safetensors.header_too_large"},
      {"R3", "safetensors.header_beyond_file"}, {"R4", "safetensors.header_not_utf8"},
      {"R8", "safetensors.shape_overflow"},     {"R10", "safetensors.not_whole_bytes"},
      {"R11", "safetensors.size_mismatch"},     {"S1", "safetensors.duplicate_key"},
  };
  return known;
}

void judge(const std::filesystem::path& directory, std::size_t expected_files) {
  std::ifstream manifest(directory / "manifest.tsv");
  if (!manifest) GTEST_SKIP() << "no test data at " << directory << "; set STEMMA_TEST_DATA";
  std::size_t files = 0;
  std::string line;
  std::getline(manifest, line);
  while (std::getline(manifest, line)) {
    std::istringstream fields(line);
    std::string file, verdict, rule;
    std::getline(fields, file, '\t');
    std::getline(fields, verdict, '\t');
    std::getline(fields, rule, '\t');
    ++files;
    const std::string refusal = fixtures::rule_of_refusal([&] {
      FileReader reader;
      read_safetensors_header(stat_source((directory / file).string()), reader);
    });
    const auto exception = stricter_here().find(file);
    if (exception != stricter_here().end()) {
      EXPECT_EQ(refusal, exception->second) << file;
      continue;
    }
    EXPECT_EQ(refusal.empty() ? "accept" : "refuse", verdict) << file << " " << rule << " " << refusal;
    const auto known = rules().find(rule);
    if (verdict == "refuse" && known != rules().end()) {
      EXPECT_EQ(refusal, known->second) << file;
    }
  }
  EXPECT_EQ(files, expected_files);
}

TEST(SafetensorsCorpus, Generated) { judge(fixtures::test_data() / "broken" / "safetensors_generated", 185); }
TEST(SafetensorsCorpus, Found) { judge(fixtures::test_data() / "broken" / "safetensors_found", 20); }

}  // namespace
}  // namespace stemma
