// Which tensors does a GGUF file hold, what does it say about itself, and is it what its format says?
#pragma once
#include "io/formats/container.hpp"

namespace stemma {

/// Reads and validates the header of a file of version 2 or 3. Quantised tensors get a decoding; those that
/// cannot be read are left out, with a warning each (gguf.unsupported_type, gguf.unsupported_quant). A file
/// without tensors that is no part of a set is a vocabulary: finding gguf_vocab_only. Throws InvalidInput
/// with the first violated rule (gguf.alignment, gguf.quantization, gguf.split,
/// and those of head, metadata and directory), or what the reader throws.
Container read_gguf(const SourceFile& file, ByteReader& reader);

}  // namespace stemma
