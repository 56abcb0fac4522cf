// Are files of other kinds recognised by their first bytes, and safetensors never mistaken for one?
#include "io/formats/foreign_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using namespace std::string_literals;

std::string kind_of(std::string_view head) {
  const auto finding = foreign_format(head, "model.safetensors");
  if (!finding) return "";
  EXPECT_EQ(finding->rule, "format.refused");
  EXPECT_FALSE(finding->hint.empty());
  return finding->found;
}

TEST(ForeignFormat, Kinds) {
  EXPECT_EQ(kind_of(""), "an empty file");
  EXPECT_EQ(kind_of("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer");
  EXPECT_EQ(kind_of("GGUF\3\0\0\0"s), "");
  EXPECT_EQ(kind_of("GUGF\3\0\0\0"s), "a GGUF file with a damaged magic number");
  EXPECT_EQ(kind_of("FUGG\0\0\0\3"s), "a GGUF file in big-endian order");
  EXPECT_EQ(kind_of("PK\3\4\0\0\x08\x08"s), "") << "read, not refused";
  EXPECT_EQ(kind_of("PK\5\6\0\0"s), "an empty zip archive");
  EXPECT_EQ(kind_of("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."),
            "a torch file from before torch 1.6");
  EXPECT_EQ(kind_of("\x80\x04\x95."), "a bare pickle");
  EXPECT_EQ(kind_of("cos\nsystem\n(S'ls'\ntR."), "a bare pickle");
  EXPECT_EQ(kind_of("cos\r\nsystem\r\n(S'ls'\r\ntR."), "a bare pickle");
  EXPECT_EQ(kind_of("(dp0\nS'a'\n"), "a bare pickle");
  EXPECT_EQ(kind_of("content of a file\nin words\n"), "");
  EXPECT_EQ(kind_of("cargo\n"), "");
  EXPECT_EQ(kind_of("\x1F\x8B\x08\0\0\0\0\0\0\x03"s), "a gzip file");
  EXPECT_EQ(kind_of("name" + std::string(253, 'x') + "ustar"), "a tar archive");
  EXPECT_EQ(kind_of("\n<!doctype html>"), "an HTML page");
  EXPECT_EQ(kind_of(R"({"error": "not found"})"), "a JSON text");
  EXPECT_EQ(kind_of("something else"), "");
}

TEST(ForeignFormat, SafetensorsWhoseLengthLooksLikeAMagicNumber) {
  EXPECT_EQ(kind_of("PK\3\4\0\0\0\0{"s), "");
  EXPECT_EQ(kind_of("\x1F\x8B\x08\0\0\0\0\0{"s), "");
  EXPECT_EQ(kind_of(fixtures::safetensors("{}")), "");
  EXPECT_EQ(kind_of("<\0\0\0\0\xFF\xFF\xFF{}"s), "");  // 60 and a few high bits: a damaged length is no page
}

TEST(ForeignFormat, PointerShowsWhatItPromises) {
  const auto finding =
      foreign_format("version https://git-lfs.github.com/spec/v1\noid sha256:abc\x1B[2J\nsize 12\n", "f");
  ASSERT_TRUE(finding);
  EXPECT_TRUE(is_lfs_pointer(*finding));
  EXPECT_THAT(finding->hint, ::testing::HasSubstr("12 bytes"));
  EXPECT_THAT(finding->hint, ::testing::Not(::testing::HasSubstr("\x1B")));
}

TEST(ForeignFormat, RealFilesOfOtherKinds) {
  const auto broken = fixtures::test_data() / "broken";
  if (!std::filesystem::exists(broken)) GTEST_SKIP() << "no test data; set STEMMA_TEST_DATA";
  const auto kind_of_file = [&](const std::filesystem::path& file) {
    std::ifstream stream(broken / file, std::ios::binary);
    std::string head(4096, '\0');
    stream.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(stream.gcount()));
    return kind_of(head);
  };
  EXPECT_EQ(kind_of_file("gguf_found/lfs_pointer.gguf"), "a Git LFS pointer");
  EXPECT_EQ(kind_of_file("gguf_found/version_3_q4_0.gguf"), "");
  EXPECT_EQ(kind_of_file("gguf_found/empty.gguf"), "an empty file");
  EXPECT_EQ(kind_of_file("torch_found/i64.pt"), "");
  EXPECT_EQ(kind_of_file("torch_found/MALICIOUS_pickle_stack_global.pkl"), "a bare pickle");
}

}  // namespace
}  // namespace stemma
