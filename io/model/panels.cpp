// One reading of a tensor serves every view: rows go through as they come, transposed slabs wait until they
// are whole.
#include "io/model/panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

using Bytes = std::span<const std::byte>;

/// Memory that is not touched before it is filled.
class Buffer {
 public:
  explicit Buffer(std::size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}
  std::span<std::byte> first(std::size_t n) { return std::span(bytes_.get(), size_).first(n); }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

/// The part of a chunk that lies inside [begin, end) of the tensor.
struct Overlap {
  std::uint64_t from = 0;  ///< relative to begin
  Bytes bytes;
};
Overlap overlap(std::uint64_t begin, std::uint64_t end, std::uint64_t at, Bytes chunk) {
  const std::uint64_t low = std::max(begin, at), high = std::min(end, at + chunk.size());
  if (low >= high) return {};
  return {low - begin, chunk.subspan(low - at, high - low)};
}

/// Serves one view whose rows are stored as rows.
class RowView {
 public:
  RowView(std::size_t view, const Matrix& matrix, std::size_t element_bytes, const PanelSink& sink)
      : view_(view),
        slice_(matrix.slice),
        row_bytes_(matrix.cols * element_bytes),
        begin_(matrix.first_element * element_bytes),
        end_(begin_ + matrix.stored_rows * row_bytes_),
        sink_(sink) {}

  void accept(std::uint64_t at, Bytes chunk) {
    auto [from, bytes] = overlap(begin_, end_, at, chunk);
    if (bytes.empty()) return;
    if (!begun_.empty()) {  // the row that the previous chunk cut
      const std::size_t missing = std::min<std::size_t>(row_bytes_ - begun_.size(), bytes.size());
      begun_.insert(begun_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(missing));
      bytes = bytes.subspan(missing);
      from += missing;
      if (begun_.size() < row_bytes_) return;
      dispatch(from / row_bytes_ - 1, begun_);
      begun_.clear();
    }
    const std::size_t whole = bytes.size() / row_bytes_ * row_bytes_;
    dispatch(from / row_bytes_, bytes.first(whole));
    begun_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(whole), bytes.end());
  }

 private:
  /// Whole stored rows from `row` on: those that belong to the runs of the slice go to the sink.
  void dispatch(std::uint64_t row, Bytes bytes) {
    const std::uint64_t end = row + bytes.size() / row_bytes_;
    if (row >= end || end <= slice_.offset) return;
    const std::uint64_t stride = std::max<std::uint64_t>(slice_.stride, 1);
    const std::uint64_t first_run = row > slice_.offset ? (row - slice_.offset) / stride : 0;
    for (std::uint64_t run = std::min(first_run, slice_.count - 1); run < slice_.count; ++run) {
      const std::uint64_t run_begin = slice_.offset + run * slice_.stride;
      if (run_begin >= end) break;
      const std::uint64_t low = std::max(row, run_begin), high = std::min(end, run_begin + slice_.length);
      if (low >= high) continue;
      emit(run * slice_.length + (low - run_begin), high - low,
           bytes.subspan((low - row) * row_bytes_, (high - low) * row_bytes_));
    }
  }

  /// Consecutive rows of the view. Those of a head that is stored pair by pair wait until they are all there.
  void emit(std::uint64_t first, std::uint64_t rows, Bytes bytes) {
    if (slice_.head == 0) return sink_(view_, {first, rows, bytes});
    for (std::uint64_t r = first; r < first + rows; ++r) {
      const std::uint64_t place = r % slice_.head;
      head_.resize(slice_.head * row_bytes_);
      std::memcpy(head_.data() + (place % 2 * (slice_.head / 2) + place / 2) * row_bytes_,
                  bytes.data() + (r - first) * row_bytes_, row_bytes_);
      if (place + 1 == slice_.head) sink_(view_, {r + 1 - slice_.head, slice_.head, head_});
    }
  }

  std::size_t view_;
  AxisSlice slice_;
  std::uint64_t row_bytes_, begin_, end_;
  const PanelSink& sink_;
  std::vector<std::byte> begun_;
  std::vector<std::byte> head_;
};

/// Serves all views of one slab that is stored cols x stored_rows.
class TransposedSlab {
 public:
  TransposedSlab(const Matrix& matrix, std::size_t element_bytes, std::size_t chunk_bytes,
                 const PanelSink& sink)
      : stored_rows_(matrix.stored_rows),
        cols_(matrix.cols),
        element_bytes_(element_bytes),
        chunk_bytes_(chunk_bytes),
        begin_(matrix.first_element * element_bytes),
        end_(begin_ + cols_ * stored_rows_ * element_bytes),
        sink_(sink) {}

  bool holds(const Matrix& matrix) const {
    return matrix.first_element * element_bytes_ == begin_ && matrix.cols == cols_ &&
           matrix.stored_rows == stored_rows_;
  }
  void add(std::size_t view, const AxisSlice& slice) { views_.push_back({view, slice}); }

  void accept(std::uint64_t at, Bytes chunk) {
    const auto [from, bytes] = overlap(begin_, end_, at, chunk);
    if (bytes.empty()) return;
    if (!slab_) slab_ = std::make_unique<Buffer>(end_ - begin_);
    std::memcpy(slab_->first(end_ - begin_).data() + from, bytes.data(), bytes.size());
    if (from + bytes.size() < end_ - begin_) return;
    for (const View& view : views_) emit(view);
    slab_.reset();  // one slab at a time, however many experts a tensor stacks
  }

 private:
  struct View {
    std::size_t number;
    AxisSlice slice;
  };

  void emit(const View& view) {
    const std::uint64_t row_bytes = cols_ * element_bytes_;
    const std::uint64_t most = std::clamp<std::uint64_t>(chunk_bytes_ / row_bytes, 1, view.slice.rows());
    Buffer panel(most * row_bytes);
    for (std::uint64_t first = 0; first < view.slice.rows(); first += most) {
      const std::uint64_t rows = std::min(most, view.slice.rows() - first);
      const std::span<std::byte> out = panel.first(rows * row_bytes);
      gather(view.slice, first, rows, out);
      sink_(view.number, {first, rows, out});
    }
  }

  /// Canonical rows are stored columns. Blocks of columns keep the cache lines that a row touches for the
  /// next row.
  void gather(const AxisSlice& slice, std::uint64_t first, std::uint64_t rows, std::span<std::byte> out) {
    switch (element_bytes_) {
      case 1:
        return gather_elements<1>(slice, first, rows, out);
      case 2:
        return gather_elements<2>(slice, first, rows, out);
      case 4:
        return gather_elements<4>(slice, first, rows, out);
      default:
        return gather_elements<8>(slice, first, rows, out);
    }
  }

  template <std::size_t Size>
  void gather_elements(const AxisSlice& slice, std::uint64_t first, std::uint64_t rows,
                       std::span<std::byte> out) {
    constexpr std::uint64_t block = 64;
    const std::byte* const slab = slab_->first(end_ - begin_).data();
    for (std::uint64_t column = 0; column < cols_; column += block) {
      const std::uint64_t columns = std::min(block, cols_ - column);
      for (std::uint64_t r = 0; r < rows; ++r) {
        const std::byte* from = slab + (column * stored_rows_ + slice.stored_row(first + r)) * Size;
        std::byte* to = out.data() + (r * cols_ + column) * Size;
        for (std::uint64_t c = 0; c < columns; ++c) {
          std::memcpy(to + c * Size, from + c * stored_rows_ * Size, Size);
        }
      }
    }
  }

  std::uint64_t stored_rows_, cols_;
  std::size_t element_bytes_, chunk_bytes_;
  std::uint64_t begin_, end_;
  const PanelSink& sink_;
  std::vector<View> views_;
  std::unique_ptr<Buffer> slab_;
};

/// A view that its tensor does not hold is a mistake of the architecture code, not of the file.
void require_inside(const Matrix& view, const StoredTensor& tensor) {
  const AxisSlice& slice = view.slice;
  const bool apart = slice.count <= 1 || slice.stride >= slice.length;
  const std::uint64_t last_row = slice.rows() == 0 ? 0 : slice.stored_row(slice.rows() - 1) + 1;
  const bool halves = slice.head == 0 || (slice.head % 2 == 0 && slice.length % slice.head == 0);
  const bool inside =
      last_row <= view.stored_rows && view.first_element + view.stored_rows * view.cols <= tensor.elements();
  if (apart && halves && inside && slice.rows() == view.rows) return;
  throw std::invalid_argument(fmt::format("a view of {} x {} does not lie inside tensor {}", view.rows,
                                          view.cols, printable(tensor.name)));
}

/// Whole stored rows as long as one fits, whole elements otherwise.
std::size_t chunk_of(const StoredTensor& tensor, std::size_t element_bytes, std::size_t chunk_bytes) {
  const std::uint64_t row_bytes = tensor.shape.empty() ? element_bytes : tensor.shape.back() * element_bytes;
  const std::uint64_t grain = row_bytes != 0 && row_bytes <= chunk_bytes ? row_bytes : element_bytes;
  return std::max<std::uint64_t>(chunk_bytes / grain, 1) * grain;
}

}  // namespace

void stream_tensor(const SourceFile& file, const StoredTensor& tensor, std::span<const Matrix> views,
                   ByteReader& reader, const StoredSink& stored, const PanelSink& panels,
                   std::size_t chunk_bytes) {
  const unsigned bits = bits_of(tensor.dtype);
  const std::size_t element_bytes = std::max<std::size_t>(bits / 8, 1);
  std::vector<RowView> row_views;
  std::vector<TransposedSlab> slabs;
  for (std::size_t i = 0; panels && i < views.size(); ++i) {
    const Matrix& view = views[i];
    if (bits < 8) {
      throw InvalidInput(
          {.rule = "dtype.no_decoder",
           .file = file.path,
           .tensor = tensor.name,
           .found = std::string(name_of(tensor.dtype)),
           .hint = "elements smaller than a byte have no documented order, so they are not decoded"});
    }
    require_inside(view, tensor);
    if (view.elements() == 0) continue;
    if (!view.transposed) {
      row_views.emplace_back(i, view, element_bytes, panels);
      continue;
    }
    auto slab =
        std::find_if(slabs.begin(), slabs.end(), [&](const TransposedSlab& s) { return s.holds(view); });
    if (slab == slabs.end()) {
      slabs.emplace_back(view, element_bytes, chunk_bytes, panels);
      slab = slabs.end() - 1;
    }
    slab->add(i, view.slice);
  }

  std::uint64_t at = 0;
  reader.stream(source_of(file, tensor), tensor.offset, tensor.bytes,
                chunk_of(tensor, element_bytes, chunk_bytes), [&](Bytes bytes) {
                  if (stored) stored(bytes);
                  for (RowView& view : row_views) view.accept(at, bytes);
                  for (TransposedSlab& slab : slabs) slab.accept(at, bytes);
                  at += bytes.size();
                });
}

}  // namespace stemma
