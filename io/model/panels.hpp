// How do the weights of one stored tensor reach the mathematics: once, in file order, as canonical rows?
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "io/model/byte_reader.hpp"
#include "io/model/matrix.hpp"

namespace stemma {

/// Whole canonical rows [first_row, first_row + rows) of one matrix, row-major, still in the stored dtype.
struct Panel {
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;
  std::span<const std::byte> bytes;
};

/// Bytes of one request for weights: long enough for the servers of a parallel file system, short enough to
/// hold two of them.
inline constexpr std::size_t request_bytes = std::size_t{16} << 20;

/// Receives the stored bytes of the tensor, in order.
using StoredSink = std::function<void(std::span<const std::byte>)>;
/// Receives panels of views[view]; rows of one view arrive in ascending order, each exactly once.
using PanelSink = std::function<void(std::size_t view, const Panel& panel)>;

/// Reads `tensor` once, in file order, and passes it on twice: as stored (decoded, where it has a decoding),
/// and as panels of its `views` (all of which must lie in this tensor). Rows go through in pieces of at most
/// `chunk_bytes` (whole rows where one fits) that lie where the reader's stream() puts them; a transposed
/// slab is held whole, because its canonical rows are stored columns. Either sink may be empty. Throws what
/// the reader throws, and InvalidInput(dtype.no_decoder) for packed sub-byte views.
void stream_tensor(const SourceFile& file, const StoredTensor& tensor, std::span<const Matrix> views,
                   ByteReader& reader, const StoredSink& stored, const PanelSink& panels,
                   std::size_t chunk_bytes = request_bytes);

/// Bytes that stay in a core's own cache while several readers look at them; a multiple of every element's
/// size.
inline constexpr std::size_t block_bytes = std::size_t{64} << 10;

/// Calls use(block) for consecutive blocks of `bytes`.
template <class Use>
void for_each_block(std::span<const std::byte> bytes, const Use& use) {
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes)
    use(bytes.subspan(at, std::min(block_bytes, bytes.size() - at)));
}

}  // namespace stemma
