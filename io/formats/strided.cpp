// An odometer over the axes, moved by one element at a time.
#include "io/formats/strided.hpp"

#include <cstring>

namespace stemma {
namespace {

class StridedDecoder final : public Decoder {
 public:
  StridedDecoder(const Decoding& decoding, ByteReader& reader)
      : element_bytes_(bits_of(decoding.dtype) / 8), begin_(decoding.numbers.at(0)) {
    for (std::size_t i = 1; i + 1 < decoding.numbers.size(); i += 2) {
      sizes_.push_back(decoding.numbers[i]);
      strides_.push_back(decoding.numbers[i + 1]);
    }
    storage_ = read_part(decoding.parts.at(0), reader);
  }

  void decode(std::uint64_t first, std::span<std::byte> out) override {
    std::vector<std::int64_t> at(sizes_.size());
    std::int64_t element = begin_;
    for (std::size_t axis = sizes_.size(); axis-- > 0;) {
      at[axis] = static_cast<std::int64_t>(first % static_cast<std::uint64_t>(sizes_[axis]));
      first /= static_cast<std::uint64_t>(sizes_[axis]);
      element += at[axis] * strides_[axis];
    }
    for (std::size_t to = 0; to < out.size(); to += element_bytes_) {
      std::memcpy(out.data() + to, storage_.data() + static_cast<std::size_t>(element) * element_bytes_,
                  element_bytes_);
      for (std::size_t axis = sizes_.size(); axis-- > 0;) {
        element += strides_[axis];
        if (++at[axis] < sizes_[axis]) break;
        element -= at[axis] * strides_[axis];
        at[axis] = 0;
      }
    }
  }

 private:
  std::size_t element_bytes_;
  std::int64_t begin_;
  std::vector<std::int64_t> sizes_, strides_;
  std::vector<std::byte> storage_;
};

}  // namespace

std::unique_ptr<Decoder> strided_decoder(const Decoding& decoding, ByteReader& reader) {
  return std::make_unique<StridedDecoder>(decoding, reader);
}

}  // namespace stemma
