// How are bytes read that only exist after decoding?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/model/byte_reader.hpp"

namespace stemma {

/// Fills `out` with the bytes at `offset` of what `file`'s decoding makes; they may begin and end inside a
/// value. Throws what decoders throw.
void read_decoded(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out, ByteReader& reader);

/// The same for consecutive pieces, with one decoder for all of them.
void stream_decoded(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                    std::size_t piece_bytes, const PieceSink& take, ByteReader& reader);

}  // namespace stemma
