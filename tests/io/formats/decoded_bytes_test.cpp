// Do bytes that only exist after decoding read like bytes of a file: any run, any piece, noticed changes?
#include "io/formats/decoded_bytes.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "io/formats/file_reader.hpp"
#include "io/model/panels.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using fixtures::TemporaryDirectory;

/// A storage of 60 numbers, 0, 1, 2, ..., behind three bytes of something else.
class DecodedBytes : public ::testing::Test {
 protected:
  DecodedBytes() {
    std::string bytes = "abc";
    for (std::uint16_t i = 0; i < 60; ++i) bytes.append(reinterpret_cast<const char*>(&i), sizeof(i));
    directory_.write("storage", bytes);
  }

  /// The (3, 4, 2) view that begins at element 5 with strides (1, 12, 4).
  StoredTensor view() const {
    StoredTensor tensor{.name = "view", .dtype = Dtype::u16, .shape = {3, 4, 2}};
    tensor.bytes = 48;
    tensor.decoding = std::make_shared<Decoding>(
        Decoding{.codec = "strided",
                 .dtype = Dtype::u16,
                 .parts = {{.file = file(), .dtype = Dtype::u16, .shape = {60}, .offset = 3, .bytes = 120}},
                 .numbers = {5, 3, 1, 4, 12, 2, 4}});
    return tensor;
  }
  SourceFile file() const { return stat_source(directory_.path("storage")); }

  static std::vector<std::uint16_t> expected() {
    std::vector<std::uint16_t> values;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 4; ++j)
        for (int k = 0; k < 2; ++k) values.push_back(static_cast<std::uint16_t>(5 + i + 12 * j + 4 * k));
    return values;
  }

  TemporaryDirectory directory_;
};

TEST_F(DecodedBytes, EveryRunIsThatOfTheWhole) {
  FileReader reader;
  const SourceFile source = source_of(file(), view());
  const auto whole = expected();
  std::vector<std::byte> all(48);
  std::memcpy(all.data(), whole.data(), 48);
  for (std::size_t begin = 0; begin <= 48; ++begin)
    for (std::size_t end = begin; end <= 48; ++end) {
      std::vector<std::byte> run(end - begin);
      reader.read(source, begin, run);
      EXPECT_TRUE(std::ranges::equal(run, std::span(all).subspan(begin, end - begin))) << begin << " " << end;
    }
}

TEST_F(DecodedBytes, OneDecoderServesAllRunsOfATensor) {
  FileReader reader;
  const StoredTensor tensor = view(), other = view();
  std::vector<std::byte> run(2);
  for (std::size_t begin = 0; begin < 48; begin += 2) reader.read(source_of(file(), tensor), begin, run);
  EXPECT_EQ(reader.bytes_read(), 120U) << "the storage is read once, not for every run";
  reader.read(source_of(file(), other), 0, run);
  EXPECT_EQ(reader.bytes_read(), 240U) << "another tensor has a decoder of its own";
}

TEST_F(DecodedBytes, AReadingInsideAStreamLeavesItsPieceAlone) {
  FileReader reader;
  const StoredTensor tensor = view(), other = view();
  std::vector<std::uint16_t> values;
  reader.stream(source_of(file(), tensor), 0, 48, 12, [&](std::span<const std::byte> piece) {
    std::vector<std::byte> row(4);
    for (const StoredTensor* asked : {&tensor, &other}) reader.read(source_of(file(), *asked), 44, row);
    values.resize(values.size() + piece.size() / 2);
    std::memcpy(values.data() + values.size() - piece.size() / 2, piece.data(), piece.size());
  });
  EXPECT_EQ(values, expected());
}

TEST_F(DecodedBytes, StreamsInPiecesAndCountsWhatWasRead) {
  for (const std::size_t piece : {2, 6, 48, 1000}) {
    FileReader reader;
    std::vector<std::uint16_t> values;
    Matrix matrix;
    matrix.rows = matrix.stored_rows = 3;
    matrix.cols = 8;
    matrix.slice = {1, 3, 0, 3};
    std::size_t stored = 0;
    stream_tensor(
        file(), view(), std::span(&matrix, 1), reader, [&](auto bytes) { stored += bytes.size(); },
        [&](std::size_t, const Panel& panel) {
          values.resize(values.size() + panel.bytes.size() / 2);
          std::memcpy(values.data() + panel.first_row * 8, panel.bytes.data(), panel.bytes.size());
        },
        piece);
    EXPECT_EQ(values, expected());
    EXPECT_EQ(stored, 48U);
    EXPECT_EQ(reader.bytes_read(), 120U) << "the storage is read once";
  }
  EXPECT_EQ(view().stored_bytes(), 120U);
  EXPECT_EQ(view().place(), 3U);
}

TEST_F(DecodedBytes, NoticesThatAPartChanged) {
  FileReader reader;
  const SourceFile source = source_of(file(), view());
  EXPECT_NO_THROW(reader.check(source));
  directory_.write("storage", "shorter");
  EXPECT_EQ(rule_of_refusal([&] { reader.check(source); }), "file.changed_while_reading");
  EXPECT_EQ(rule_of_refusal([&] {
              std::vector<std::byte> out(2);
              FileReader().read(source, 0, out);
            }),
            "file.changed_while_reading");
}

TEST(Decoder, OfAnUnknownCodec) {
  FileReader reader;
  SourceFile file;
  file.decoding = std::make_shared<Decoding>(Decoding{.codec = "morse"});
  std::vector<std::byte> out(4);
  EXPECT_THROW(reader.read(file, 0, out), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
