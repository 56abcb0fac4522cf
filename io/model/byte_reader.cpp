// What does a reader do that only knows how to fill memory?
#include "io/model/byte_reader.hpp"

#include <algorithm>
#include <memory>

namespace stemma {

void ByteReader::stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                        std::size_t piece_bytes, const PieceSink& take) {
  const std::size_t most = std::min<std::uint64_t>(piece_bytes, bytes);
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(most);
  for (std::uint64_t at = 0; at < bytes; at += piece_bytes) {
    const std::span piece(memory.get(), std::min<std::uint64_t>(piece_bytes, bytes - at));
    read(file, offset + at, piece);
    take(piece);
  }
}

}  // namespace stemma
