// How is a tensor read whose values lie in quantised blocks?
#pragma once
#include <memory>

#include "io/formats/decoder.hpp"

namespace stemma {

/// Every codec of block_codec(). Parts: the blocks; then, where the codec wants factors of its own (nvfp4),
/// F32 factors, of which each holds for numbers[0] consecutive values. Whoever makes the decoding has checked
/// that there are blocks and factors for all values.
std::unique_ptr<Decoder> block_decoder(const Decoding& decoding, ByteReader& reader);

}  // namespace stemma
