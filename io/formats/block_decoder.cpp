// Whole blocks are decoded where their values are wanted, those that a run begins or ends in beside it.
#include "io/formats/block_decoder.hpp"

#include <algorithm>
#include <cmath>

#include "io/formats/block_codec.hpp"

namespace stemma {
namespace {

constexpr std::size_t bytes_at_a_time = std::size_t{1} << 20;

class BlockDecoder final : public FloatDecoder {
 public:
  BlockDecoder(const Decoding& decoding, ByteReader& reader)
      : codec_(*block_codec(decoding.codec)),
        decode_(decoding.half_distances ? codec_.half_distances : codec_.decode),
        part_(decoding.parts.at(0)),
        reader_(reader) {
    if (decoding.parts.size() < 2) return;
    values_of_a_factor_ = static_cast<std::uint64_t>(decoding.numbers.at(0));
    const std::vector<std::byte> bytes = read_part(decoding.parts[1], reader);
    factors_.resize(bytes.size() / sizeof(float));
    std::memcpy(factors_.data(), bytes.data(), factors_.size() * sizeof(float));
    if (decoding.half_distances)
      for (float& factor : factors_) factor = std::abs(factor);
  }

  void values(std::uint64_t first, std::span<float> out) override {
    const std::size_t most_blocks = std::max<std::size_t>(1, bytes_at_a_time / codec_.bytes);
    while (!out.empty()) {
      const std::size_t skipped = first % codec_.values;
      const std::size_t touched = (skipped + out.size() + codec_.values - 1) / codec_.values;
      const std::size_t count = std::min(touched, most_blocks);
      const std::size_t taken = std::min(out.size(), count * codec_.values - skipped);
      run(first / codec_.values, count, skipped, out.first(taken));
      multiply(first, out.first(taken));
      first += taken;
      out = out.subspan(taken);
    }
  }

 private:
  /// Values of `count` blocks without the first `skipped`, as many as `out` holds.
  void run(std::uint64_t block, std::size_t count, std::size_t skipped, std::span<float> out) {
    codes_.resize(count * codec_.bytes);
    reader_.read(part_.file, part_.offset + block * codec_.bytes, std::as_writable_bytes(std::span(codes_)));
    const std::uint8_t* codes = codes_.data();
    if (skipped > 0) {
      const std::size_t taken = std::min(codec_.values - skipped, out.size());
      decode_apart(codes, skipped, out.first(taken));
      out = out.subspan(taken);
      codes += codec_.bytes;
    }
    const std::size_t whole = out.size() / codec_.values;
    decode_(codes, whole, out.data());
    out = out.subspan(whole * codec_.values);
    if (!out.empty()) decode_apart(codes + whole * codec_.bytes, 0, out);
  }

  void decode_apart(const std::uint8_t* codes, std::size_t skipped, std::span<float> out) {
    block_.resize(codec_.values);
    decode_(codes, 1, block_.data());
    std::ranges::copy(std::span(block_).subspan(skipped, out.size()), out.begin());
  }

  void multiply(std::uint64_t first, std::span<float> out) {
    if (factors_.empty()) return;
    for (float& value : out) value *= factors_[first++ / values_of_a_factor_];
  }

  const BlockCodec& codec_;
  BlockCodec::Decode decode_;
  EncodedPart part_;
  ByteReader& reader_;
  std::uint64_t values_of_a_factor_ = 1;
  std::vector<float> factors_, block_;
  std::vector<std::uint8_t> codes_;
};

}  // namespace

const BlockCodec* block_codec(std::string_view name) {
  for (const auto family : {legacy_blocks(), k_blocks(), iq4_blocks(), micro_blocks()}) {
    const auto known = std::ranges::find(family, name, &BlockCodec::name);
    if (known != family.end()) return &*known;
  }
  return nullptr;
}

std::unique_ptr<Decoder> block_decoder(const Decoding& decoding, ByteReader& reader) {
  return std::make_unique<BlockDecoder>(decoding, reader);
}

}  // namespace stemma
