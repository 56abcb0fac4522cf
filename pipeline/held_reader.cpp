// The tensors of one item, which are few.
#include "pipeline/held_reader.hpp"

#include <algorithm>

#include "io/model/panels.hpp"

namespace stemma {

void HeldReader::hold(const SourceFile& file, const StoredTensor& tensor) {
  const SourceFile source = source_of(file, tensor);
  if (!held(source, tensor.offset, tensor.bytes).empty()) return;
  Range range{file.path, tensor.decoding, tensor.offset, {}};
  range.bytes.reserve(tensor.bytes);
  own_.stream(source, tensor.offset, tensor.bytes, request_bytes, [&](std::span<const std::byte> piece) {
    range.bytes.insert(range.bytes.end(), piece.begin(), piece.end());
  });
  ranges_.push_back(std::move(range));
}

std::span<const std::byte> HeldReader::held(const SourceFile& file, std::uint64_t offset,
                                            std::uint64_t bytes) const {
  for (const Range& range : ranges_)
    if (offset >= range.offset && offset - range.offset <= range.bytes.size() &&
        bytes <= range.bytes.size() - (offset - range.offset) && range.path == file.path &&
        range.decoding == file.decoding)
      return std::span(range.bytes).subspan(offset - range.offset, bytes);
  return {};
}

void HeldReader::read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) {
  const auto here = held(file, offset, out.size());
  if (here.empty()) return own_.read(file, offset, out);
  std::ranges::copy(here, out.begin());
}

void HeldReader::stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                        std::size_t piece_bytes, const PieceSink& take) {
  auto here = held(file, offset, bytes);
  if (here.empty()) return own_.stream(file, offset, bytes, piece_bytes, take);
  for (; !here.empty(); here = here.subspan(std::min(piece_bytes, here.size())))
    take(here.first(std::min(piece_bytes, here.size())));
}

}  // namespace stemma
