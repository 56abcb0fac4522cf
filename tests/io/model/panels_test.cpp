// Does one reading in file order give every view exactly its rows, whatever the layout and the chunk size?
#include "io/model/panels.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

/// A file of random bytes; checks that each byte is asked for once, in order.
class OnceReader final : public ByteReader {
 public:
  OnceReader(std::uint64_t offset, std::uint64_t bytes) : next_(offset), content_(offset + bytes) {
    std::mt19937 random(7);
    for (std::byte& byte : content_) byte = static_cast<std::byte>(random());
  }
  void read(const SourceFile&, std::uint64_t offset, std::span<std::byte> out) override {
    EXPECT_EQ(offset, next_) << "bytes are read once, in the order of the file";
    ASSERT_LE(offset + out.size(), content_.size());
    std::memcpy(out.data(), content_.data() + offset, out.size());
    next_ = offset + out.size();
    largest_ = std::max(largest_, out.size());
    bytes_read_ += out.size();
  }
  std::uint64_t bytes_read() const override { return bytes_read_; }
  std::span<const std::byte> content(std::uint64_t offset) const {
    return std::span(content_).subspan(offset);
  }
  std::size_t largest() const { return largest_; }

 private:
  std::uint64_t next_;
  std::vector<std::byte> content_;
  std::uint64_t bytes_read_ = 0;
  std::size_t largest_ = 0;
};

struct Layout {
  std::string what;
  std::vector<std::uint64_t> shape;
  std::vector<Matrix> views;
};

Matrix view(std::uint64_t first, std::uint64_t stored_rows, std::uint64_t cols, AxisSlice slice,
            bool transposed = false) {
  Matrix matrix;
  matrix.first_element = first;
  matrix.stored_rows = stored_rows;
  matrix.cols = cols;
  matrix.slice = slice;
  matrix.rows = slice.rows();
  matrix.transposed = transposed;
  return matrix;
}

AxisSlice rows(std::uint64_t offset, std::uint64_t length) { return {1, 0, offset, length}; }

std::vector<Layout> layouts() {
  std::vector<Layout> all;
  all.push_back({"as stored", {6, 5}, {view(0, 6, 5, rows(0, 6))}});
  all.push_back({"vector", {7}, {view(0, 7, 1, rows(0, 7))}});
  all.push_back({"scalar", {}, {view(0, 1, 1, rows(0, 1))}});
  all.push_back({"q, k, v one after the other",
                 {10, 3},
                 {view(0, 10, 3, rows(0, 6)), view(0, 10, 3, rows(6, 2)), view(0, 10, 3, rows(8, 2))}});
  all.push_back({"q, k, v per head",
                 {4 * 3 * 2, 5},
                 {view(0, 24, 5, {4, 6, 0, 2}), view(0, 24, 5, {4, 6, 2, 2}), view(0, 24, 5, {4, 6, 4, 2})}});
  all.push_back(
      {"gate and up row by row", {8, 3}, {view(0, 8, 3, {4, 2, 0, 1}), view(0, 8, 3, {4, 2, 1, 1})}});
  all.push_back({"heads of 4, pair by pair", {12, 3}, {view(0, 12, 3, {1, 12, 0, 12, 4})}});
  all.push_back(
      {"q and k of one tensor, heads of 2 and 4 pair by pair, v as it is",
       {16, 3},
       {view(0, 16, 3, {1, 8, 0, 8, 2}), view(0, 16, 3, {1, 4, 8, 4, 4}), view(0, 16, 3, {1, 4, 12, 4})}});
  all.push_back({"pair by pair inside runs", {24, 2}, {view(0, 24, 2, {2, 12, 4, 8, 4})}});
  all.push_back({"transposed, pair by pair", {5, 8}, {view(0, 8, 5, {1, 8, 0, 8, 4}, true)}});
  all.push_back({"transposed", {5, 7}, {view(0, 7, 5, rows(0, 7), true)}});
  all.push_back({"transposed, wider than a block", {130, 9}, {view(0, 9, 130, rows(0, 9), true)}});
  all.push_back({"transposed q, k, v",
                 {4, 12},
                 {view(0, 12, 4, rows(0, 8), true), view(0, 12, 4, rows(8, 2), true),
                  view(0, 12, 4, rows(10, 2), true)}});
  all.push_back({"transposed per head", {4, 12}, {view(0, 12, 4, {2, 6, 2, 2}, true)}});
  Layout out_in{"experts, out x in, gate and up fused", {3, 8, 5}, {}},
      in_out{"experts, in x out", {3, 5, 8}, {}};
  for (std::uint64_t expert = 0; expert < 3; ++expert) {
    for (const std::uint64_t half : {0U, 4U}) {
      out_in.views.push_back(view(expert * 40, 8, 5, rows(half, 4)));
      in_out.views.push_back(view(expert * 40, 8, 5, rows(half, 4), true));
    }
  }
  all.push_back(out_in);
  all.push_back(in_out);
  all.push_back({"a part of the tensor only", {6, 5}, {view(5, 4, 5, rows(1, 2))}});
  all.push_back({"no view", {6, 5}, {}});
  all.push_back({"no element", {0, 5}, {view(0, 0, 5, rows(0, 0))}});
  return all;
}

/// Element by element from the definition in matrix.hpp.
std::vector<std::byte> gathered(const Matrix& matrix, std::span<const std::byte> tensor, std::size_t size) {
  std::vector<std::byte> out;
  for (std::uint64_t r = 0; r < matrix.rows; ++r) {
    for (std::uint64_t c = 0; c < matrix.cols; ++c) {
      const std::uint64_t row = matrix.slice.stored_row(r);
      const std::uint64_t at = matrix.transposed ? c * matrix.stored_rows + row : row * matrix.cols + c;
      const auto element = tensor.subspan((matrix.first_element + at) * size, size);
      out.insert(out.end(), element.begin(), element.end());
    }
  }
  return out;
}

StoredTensor tensor_of(const Layout& layout, Dtype dtype) {
  StoredTensor tensor{
      .name = "t", .dtype = dtype, .shape = layout.shape, .file = 0, .offset = 11, .bytes = 0};
  tensor.bytes = tensor.elements() * bits_of(dtype) / 8;
  return tensor;
}

void expect_exact(const Layout& layout, Dtype dtype, std::size_t chunk_bytes) {
  SCOPED_TRACE(fmt::format("{}, {}, chunks of {}", layout.what, name_of(dtype), chunk_bytes));
  const std::size_t size = bits_of(dtype) / 8;
  const StoredTensor tensor = tensor_of(layout, dtype);
  OnceReader reader(tensor.offset, tensor.bytes);
  std::vector<std::byte> stored;
  std::vector<std::vector<std::byte>> received(layout.views.size());
  stream_tensor(
      {}, tensor, layout.views, reader,
      [&](std::span<const std::byte> bytes) {
        EXPECT_EQ(bytes.size() % size, 0U);
        stored.insert(stored.end(), bytes.begin(), bytes.end());
      },
      [&](std::size_t number, const Panel& panel) {
        const std::size_t row_bytes = layout.views[number].cols * size;
        EXPECT_GT(panel.rows, 0U);
        EXPECT_EQ(panel.bytes.size(), panel.rows * row_bytes);
        EXPECT_EQ(panel.first_row * row_bytes, received[number].size()) << "rows come in ascending order";
        received[number].insert(received[number].end(), panel.bytes.begin(), panel.bytes.end());
      },
      chunk_bytes);
  const auto content = reader.content(tensor.offset);
  EXPECT_TRUE(std::equal(stored.begin(), stored.end(), content.begin(), content.end()));
  EXPECT_EQ(reader.bytes_read(), tensor.bytes);
  EXPECT_LE(reader.largest(), std::max(chunk_bytes, size));
  for (std::size_t i = 0; i < layout.views.size(); ++i) {
    EXPECT_EQ(received[i], gathered(layout.views[i], content, size)) << "view " << i;
  }
}

TEST(StreamTensor, EveryLayoutDtypeAndChunkSize) {
  for (const Layout& layout : layouts()) {
    for (const Dtype dtype : {Dtype::f8_e4m3, Dtype::bf16, Dtype::f32, Dtype::f64}) {
      for (const std::size_t chunk : {1U, 3U, 7U, 16U, 40U, 41U, 64U, 1000U, 1U << 20}) {
        expect_exact(layout, dtype, chunk);
      }
    }
  }
}

TEST(StreamTensor, RandomLayouts) {
  std::mt19937 random(3);
  const auto draw = [&](std::uint64_t low, std::uint64_t high) { return low + random() % (high - low + 1); };
  for (int trial = 0; trial < 500; ++trial) {
    const std::uint64_t slabs = draw(1, 4), stored_rows = draw(1, 20), cols = draw(1, 20);
    const bool transposed = draw(0, 1) == 1;
    Layout layout{fmt::format("trial {}", trial), {slabs, stored_rows, cols}, {}};
    if (transposed) layout.shape = {slabs, cols, stored_rows};
    for (std::uint64_t n = draw(0, 5); n > 0; --n) {
      AxisSlice slice;
      slice.length = draw(1, stored_rows);
      slice.offset = draw(0, stored_rows - slice.length);
      slice.stride = draw(slice.length, slice.length + 3);
      slice.count = draw(1, 1 + (stored_rows - slice.offset - slice.length) / slice.stride);
      if (slice.length % 2 == 0 && draw(0, 1) == 1) slice.head = slice.length % 4 == 0 ? 4 : slice.length;
      layout.views.push_back(
          view(draw(0, slabs - 1) * stored_rows * cols, stored_rows, cols, slice, transposed));
    }
    expect_exact(layout, draw(0, 1) == 0 ? Dtype::f16 : Dtype::f32, draw(1, 300));
  }
}

TEST(AxisSlice, UndoesPairsAsTheDefinitionSays) {
  // Stored by hand: of two heads of 4 rows a b c d, the halves (a, b) and (c, d) are stored as a c b d.
  const AxisSlice slice{1, 8, 0, 8, 4};
  std::vector<std::uint64_t> stored;
  for (std::uint64_t r = 0; r < 8; ++r) stored.push_back(slice.stored_row(r));
  EXPECT_EQ(stored, (std::vector<std::uint64_t>{0, 2, 1, 3, 4, 6, 5, 7}));
  const AxisSlice wide{1, 8, 0, 8, 8};
  stored.clear();
  for (std::uint64_t r = 0; r < 8; ++r) stored.push_back(wide.stored_row(r));
  EXPECT_EQ(stored, (std::vector<std::uint64_t>{0, 2, 4, 6, 1, 3, 5, 7}));
}

TEST(StreamTensor, RowsGoThroughInWholeRowsWhereTheyFit) {
  const Layout layout{"", {100, 8}, {view(0, 100, 8, rows(0, 100))}};
  const StoredTensor tensor = tensor_of(layout, Dtype::bf16);
  OnceReader reader(tensor.offset, tensor.bytes);
  std::vector<std::uint64_t> sizes;
  stream_tensor(
      {}, tensor, layout.views, reader, nullptr,
      [&](std::size_t, const Panel& panel) { sizes.push_back(panel.rows); }, 100);
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 4}));
}

/// Shows its own memory instead of filling somebody else's, as a reader over a window of ranks does.
class WindowReader final : public ByteReader {
 public:
  explicit WindowReader(std::vector<std::byte> window) : window_(std::move(window)) {}
  void read(const SourceFile&, std::uint64_t, std::span<std::byte>) override {
    FAIL() << "nothing is copied";
  }
  void stream(const SourceFile&, std::uint64_t offset, std::uint64_t bytes, std::size_t piece_bytes,
              const PieceSink& take) override {
    for (std::uint64_t at = 0; at < bytes; at += piece_bytes)
      take(std::span(window_).subspan(offset + at, std::min<std::uint64_t>(piece_bytes, bytes - at)));
  }
  std::uint64_t bytes_read() const override { return 0; }
  const std::byte* at(std::uint64_t offset) const { return window_.data() + offset; }

 private:
  std::vector<std::byte> window_;
};

TEST(StreamTensor, PiecesLieWhereTheReaderPutsThem) {
  const Layout layout{"", {100, 8}, {view(0, 100, 8, rows(0, 100))}};
  const StoredTensor tensor = tensor_of(layout, Dtype::bf16);
  WindowReader reader(std::vector<std::byte>(tensor.offset + tensor.bytes));
  std::uint64_t rows_seen = 0;
  stream_tensor(
      {}, tensor, layout.views, reader, nullptr,
      [&](std::size_t, const Panel& panel) {
        EXPECT_EQ(panel.bytes.data(), reader.at(tensor.offset + 16 * panel.first_row));
        rows_seen += panel.rows;
      },
      100);
  EXPECT_EQ(rows_seen, 100U);
}

TEST(StreamTensor, SinksMayBeEmpty) {
  const Layout layout{"", {4, 4}, {view(0, 4, 4, rows(0, 4))}};
  const StoredTensor tensor = tensor_of(layout, Dtype::f32);
  OnceReader reader(tensor.offset, tensor.bytes);
  stream_tensor({}, tensor, layout.views, reader, nullptr, nullptr);
  EXPECT_EQ(reader.bytes_read(), tensor.bytes);
}

TEST(StreamTensor, PackedElementsHaveNoViewsButBytes) {
  StoredTensor tensor{.name = "t", .dtype = Dtype::f4, .shape = {4, 4}, .file = 0, .offset = 0, .bytes = 8};
  const std::vector<Matrix> views{view(0, 4, 4, rows(0, 4))};
  OnceReader reader(0, 8);
  std::size_t bytes = 0;
  stream_tensor(
      {}, tensor, {}, reader, [&](std::span<const std::byte> piece) { bytes += piece.size(); }, nullptr);
  EXPECT_EQ(bytes, 8U);
  try {
    stream_tensor({}, tensor, views, reader, nullptr, [](std::size_t, const Panel&) {});
    FAIL();
  } catch (const InvalidInput& refused) {
    EXPECT_EQ(refused.finding().rule, "dtype.no_decoder");
  }
}

TEST(StreamTensor, ViewsMustLieInTheTensor) {
  const StoredTensor tensor = tensor_of({"", {4, 4}, {}}, Dtype::f32);
  OnceReader reader(tensor.offset, tensor.bytes);
  const std::vector<Matrix> wrong{view(0, 5, 4, rows(0, 5)), view(1, 4, 4, rows(0, 4)),
                                  view(0, 4, 4, rows(2, 3)), view(0, 4, 4, {2, 1, 0, 2})};
  for (const Matrix& matrix : wrong) {
    EXPECT_THROW(
        stream_tensor({}, tensor, std::span(&matrix, 1), reader, nullptr, [](std::size_t, const Panel&) {}),
        std::invalid_argument);
  }
  EXPECT_EQ(reader.bytes_read(), 0U);
}

}  // namespace
}  // namespace stemma
