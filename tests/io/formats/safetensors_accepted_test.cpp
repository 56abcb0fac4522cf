// Is every sound header accepted, with the tensors that it names and remarks where they are due?
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/formats/file_reader.hpp"
#include "io/formats/safetensors.hpp"
#include "tests/harness/patience.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::MemoryReader;
using fixtures::safetensors;
using fixtures::safetensors_of;
using fixtures::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

SafetensorsHeader header_of(const std::string& file) {
  MemoryReader reader(file);
  return read_safetensors_header(reader.file(), reader);
}

std::vector<std::string> rules_of_header(const SafetensorsHeader& header) {
  std::vector<std::string> rules;
  for (const Finding& finding : header.findings) rules.push_back(finding.rule);
  return rules;
}

std::string one(std::string_view name, std::string_view dtype, std::string_view shape, std::size_t bytes) {
  return safetensors(
      fmt::format(R"({{"{}":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})", name, dtype, shape, bytes),
      std::string(bytes, 'x'));
}

TEST(SafetensorsAccepted, NoTensorAtAll) {
  const SafetensorsHeader header = header_of(safetensors("{}"));
  EXPECT_EQ(header.header_bytes, 10U);
  EXPECT_THAT(header.tensors, IsEmpty());
  EXPECT_THAT(header.findings, IsEmpty());
}

TEST(SafetensorsAccepted, WhiteSpaceAround) {
  EXPECT_THAT(rules_of_header(header_of(safetensors("{}\r\n\t "))), IsEmpty());
  EXPECT_THAT(rules_of_header(header_of(safetensors("  {}"))), ElementsAre("safetensors.leading_whitespace"));
}

TEST(SafetensorsAccepted, EmptyTensorsAndScalars) {
  const SafetensorsHeader empty = header_of(one("a", "F32", "[2,0]", 0));
  EXPECT_EQ(empty.tensors.at(0).bytes, 0U);
  const SafetensorsHeader scalar = header_of(one("a", "F32", "[]", 4));
  EXPECT_EQ(scalar.tensors.at(0).elements(), 1U);
}

TEST(SafetensorsAccepted, EveryDtype) {
  for (std::uint8_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const std::size_t bytes = 8 * bits_of(dtype) / 8;
    const SafetensorsHeader header = header_of(one("a", name_of(dtype), "[2,4]", bytes));
    ASSERT_EQ(header.tensors.size(), 1U);
    EXPECT_EQ(header.tensors[0].dtype, dtype);
    EXPECT_EQ(header.tensors[0].bytes, bytes);
  }
}

TEST(SafetensorsAccepted, EntriesInAnyOrder) {
  const SafetensorsHeader header =
      header_of(safetensors(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},)"
                            R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})",
                            "aaab"));
  ASSERT_EQ(header.tensors.size(), 2U);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].offset, header.header_bytes);
  EXPECT_EQ(header.tensors[1].name, "b");
  EXPECT_EQ(header.tensors[1].offset, header.header_bytes + 3);
}

TEST(SafetensorsAccepted, StrangeNames) {
  EXPECT_EQ(header_of(one(R"(\ud83d\ude00)", "U8", "[1]", 1)).tensors.at(0).name, "\xF0\x9F\x98\x80");
  EXPECT_EQ(header_of(one("a b/../c.d", "U8", "[1]", 1)).tensors.at(0).name, "a b/../c.d");
  EXPECT_EQ(header_of(one(std::string(4096, 'n'), "U8", "[1]", 1)).tensors.at(0).name.size(), 4096U);
}

TEST(SafetensorsAccepted, Metadata) {
  EXPECT_THAT(header_of(safetensors(R"({"__metadata__":null})")).metadata, IsEmpty());
  EXPECT_THAT(header_of(safetensors(R"({"__metadata__":{}})")).metadata, IsEmpty());
  const std::string value(200'000, 'v');
  const auto metadata =
      header_of(safetensors(fmt::format(R"({{"__metadata__":{{"k":"{}"}}}})", value))).metadata;
  EXPECT_EQ(metadata.at("k"), value);
}

TEST(SafetensorsAccepted, RemarksOnUnknownMembersAndAlignment) {
  const SafetensorsHeader header =
      header_of(safetensors(R"({"a":{"dtype":"F32","x":{"y":1},"shape":[1],"data_offsets":[0,4]}})", "aaaa"));
  EXPECT_NE(header.header_bytes % 4, 0U);
  EXPECT_THAT(rules_of_header(header),
              ElementsAre("safetensors.unknown_field", "safetensors.misaligned_data"));
}

TEST(SafetensorsAccepted, SparseTerabyte) {
  const TemporaryDirectory directory;
  constexpr std::uint64_t terabyte = std::uint64_t{1} << 40;
  const std::string text =
      fmt::format(R"({{"a":{{"dtype":"BF16","shape":[{}],"data_offsets":[0,{}]}}}})", terabyte / 2, terabyte);
  directory.write("big.safetensors", safetensors(text));
  std::error_code error;
  std::filesystem::resize_file(directory.path("big.safetensors"), 8 + text.size() + terabyte, error);
  if (error) GTEST_SKIP() << "this file system holds no sparse file of a terabyte";
  FileReader reader;
  const SafetensorsHeader header =
      read_safetensors_header(stat_source(directory.path("big.safetensors")), reader);
  EXPECT_EQ(header.tensors.at(0).bytes, terabyte);
  EXPECT_EQ(reader.bytes_read(), 8 + text.size());
}

TEST(SafetensorsAccepted, NinetyOneThousandTensorsWithinASecond) {
  std::vector<std::pair<std::string, std::string>> tensors;
  for (int i = 0; i < 91'000; ++i) tensors.emplace_back(fmt::format("model.layers.{}.weight", i), "abcd");
  MemoryReader reader(safetensors_of(tensors));
  const double start = test::processor_seconds();
  EXPECT_EQ(read_safetensors_header(reader.file(), reader).tensors.size(), tensors.size());
  EXPECT_LT(test::processor_seconds() - start, 1.0 * test::patience());
}

TEST(SafetensorsAccepted, HeaderAtTheLimitIsRemarkedUpon) {
  std::string header = "{}";
  header.resize(100'000'000, ' ');
  EXPECT_THAT(rules_of_header(header_of(safetensors(header))),
              ElementsAre("safetensors.header_over_hub_limit"));
}

TEST(SafetensorsAccepted, TablesTileTheDataForRandomShapes) {
  unsigned state = 1;
  const auto draw = [&state](unsigned below) {
    return (state = state * 1664525U + 1013904223U) / 65536U % below;
  };
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::pair<std::string, std::string>> tensors;
    for (unsigned i = 0, n = draw(8); i < n; ++i)
      tensors.emplace_back(fmt::format("t{}", i), std::string(draw(9), 'x'));
    const std::string file = safetensors_of(tensors);
    const SafetensorsHeader header = header_of(file);
    ASSERT_EQ(header.tensors.size(), tensors.size());
    std::uint64_t end = header.header_bytes;
    for (const StoredTensor& tensor : header.tensors) {
      EXPECT_EQ(tensor.offset, end);
      end += tensor.bytes;
    }
    EXPECT_EQ(end, file.size());
  }
}

}  // namespace
}  // namespace stemma
