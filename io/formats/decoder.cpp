// The list of all codecs; those of quantised blocks have a list of their own.
#include "io/formats/decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "io/formats/block_codec.hpp"
#include "io/formats/block_decoder.hpp"
#include "io/formats/merged_adapter.hpp"
#include "io/formats/quantised_schemes.hpp"
#include "io/formats/strided.hpp"

namespace stemma {
namespace {

struct Codec {
  std::string_view name;
  std::unique_ptr<Decoder> (*make)(const Decoding&, ByteReader&);
};

constexpr std::array codecs{
    Codec{"merged_adapter", merged_adapter_decoder},
    Codec{"strided", strided_decoder},
};

}  // namespace

void FloatDecoder::decode(std::uint64_t first, std::span<std::byte> out) {
  values_.resize(out.size() / sizeof(float));
  values(first, values_);
  std::memcpy(out.data(), values_.data(), out.size());
}

std::unique_ptr<Decoder> make_decoder(const Decoding& decoding, ByteReader& reader) {
  if (const QuantisationScheme* scheme = scheme_of_codec(decoding.codec))
    return scaled_codes_decoder(scheme->grid(decoding, reader), decoding.half_distances, reader);
  if (block_codec(decoding.codec) != nullptr) return block_decoder(decoding, reader);
  const auto known = std::ranges::find(codecs, decoding.codec, &Codec::name);
  if (known == codecs.end()) throw std::invalid_argument(fmt::format("there is no codec {}", decoding.codec));
  return known->make(decoding, reader);
}

std::vector<std::byte> read_part(const EncodedPart& part, ByteReader& reader) {
  std::vector<std::byte> bytes(part.bytes);
  reader.read(part.file, part.offset, bytes);
  return bytes;
}

}  // namespace stemma
