// How are the elements of a tensor found that lie in a storage with strides of their own?
#pragma once
#include <memory>

#include "io/formats/decoder.hpp"

namespace stemma {

/// Codec "strided": one part, a storage of plain elements. Numbers: the element of the storage where the
/// tensor begins, then size and stride of every axis, in elements. Whoever makes the decoding has checked
/// that all elements lie inside the storage. Keeps the storage in memory.
std::unique_ptr<Decoder> strided_decoder(const Decoding& decoding, ByteReader& reader);

}  // namespace stemma
