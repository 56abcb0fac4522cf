// Runs that cut a value are widened to whole ones, decoded, and cut again.
#include "io/formats/decoded_bytes.hpp"

#include <algorithm>
#include <vector>

namespace stemma {

class DecodedBytes::AtWork {
 public:
  explicit AtWork(DecodedBytes& bytes) : bytes_(bytes) { ++bytes_.at_work_; }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  ~AtWork() { --bytes_.at_work_; }

 private:
  DecodedBytes& bytes_;
};

void DecodedBytes::Tensor::fill(std::uint64_t offset, std::span<std::byte> out) {
  const std::size_t width = bits_of(decoding->dtype) / 8;
  const std::uint64_t first = offset / width, last = (offset + out.size() + width - 1) / width;
  if (first * width == offset && last * width == offset + out.size()) return decoder->decode(first, out);
  std::vector<std::byte> values((last - first) * width);
  decoder->decode(first, values);
  std::ranges::copy(std::span(values).subspan(offset - first * width, out.size()), out.begin());
}

DecodedBytes::Tensor& DecodedBytes::tensor_of(const SourceFile& file) {
  const auto known = std::ranges::find(tensors_, file.decoding, &Tensor::decoding);
  if (known != tensors_.end()) return *known;
  if (at_work_ == 1) tensors_.clear();  // nobody but the caller
  std::unique_ptr<Decoder> decoder = make_decoder(*file.decoding, reader_);
  return tensors_.emplace_back(Tensor{file.decoding, std::move(decoder)});
}

void DecodedBytes::read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) {
  if (out.empty()) return;
  const AtWork work(*this);
  tensor_of(file).fill(offset, out);
}

void DecodedBytes::stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                          std::size_t piece_bytes, const PieceSink& take) {
  if (bytes == 0) return;
  const AtWork work(*this);
  Tensor& tensor = tensor_of(file);
  std::vector<std::byte> piece(std::min<std::uint64_t>(piece_bytes, bytes));
  for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(piece_bytes, bytes - at));
    tensor.fill(offset + at, piece);
    take(piece);
  }
}

}  // namespace stemma
