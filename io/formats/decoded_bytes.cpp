// Pieces are widened to whole values, decoded, and cut again.
#include "io/formats/decoded_bytes.hpp"

#include <algorithm>
#include <vector>

#include "io/formats/decoder.hpp"

namespace stemma {
namespace {

class DecodedBytes {
 public:
  DecodedBytes(const SourceFile& file, ByteReader& reader)
      : decoder_(make_decoder(*file.decoding, reader)), width_(bits_of(file.decoding->dtype) / 8) {}

  /// Good until the next call.
  std::span<const std::byte> piece(std::uint64_t offset, std::size_t bytes) {
    const std::uint64_t first = offset / width_, last = (offset + bytes + width_ - 1) / width_;
    values_.resize((last - first) * width_);
    decoder_->decode(first, values_);
    return std::span(values_).subspan(offset - first * width_, bytes);
  }

 private:
  std::unique_ptr<Decoder> decoder_;
  std::size_t width_;
  std::vector<std::byte> values_;
};

}  // namespace

void read_decoded(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out,
                  ByteReader& reader) {
  if (!out.empty()) std::ranges::copy(DecodedBytes(file, reader).piece(offset, out.size()), out.begin());
}

void stream_decoded(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                    std::size_t piece_bytes, const PieceSink& take, ByteReader& reader) {
  if (bytes == 0) return;
  DecodedBytes decoded(file, reader);
  for (std::uint64_t at = 0; at < bytes; at += piece_bytes)
    take(decoded.piece(offset + at, std::min<std::uint64_t>(piece_bytes, bytes - at)));
}

}  // namespace stemma
