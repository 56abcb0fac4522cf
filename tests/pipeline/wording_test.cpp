// Are sizes, times and counts said as people read them?
#include "pipeline/wording.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

TEST(Wording, CountsHaveCommas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(12345678), "12,345,678");
}

TEST(Wording, OneIsSingular) {
  EXPECT_EQ(counted(0, "model"), "0 models");
  EXPECT_EQ(counted(1, "model"), "1 model");
  EXPECT_EQ(counted(12345, "model"), "12,345 models");
  EXPECT_EQ(counted(1, "copy", "copies"), "1 copy");
  EXPECT_EQ(counted(2, "copy", "copies"), "2 copies");
}

TEST(Wording, FilesCountInTensAndMemoryInTwos) {
  EXPECT_EQ(bytes_words(999), "999 B");
  EXPECT_EQ(bytes_words(1.9e9), "1.9 GB");
  EXPECT_EQ(bytes_words(412e9), "412 GB");
  EXPECT_EQ(memory_words(3.0 * (1 << 30)), "3.0 GiB");
}

TEST(Wording, TimesGrowTheirFields) {
  EXPECT_EQ(duration_words(4.25), "4.2 s");
  EXPECT_EQ(duration_words(370), "06:10");
  EXPECT_EQ(duration_words(7325), "02:02:05");
  EXPECT_EQ(clock_words(4.25), "00:00:04");
  EXPECT_EQ(clock_words(370), "00:06:10");
}

}  // namespace
}  // namespace stemma
