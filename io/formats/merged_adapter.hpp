// What model does an adapter make of its base, without anybody writing it to disk?
#pragma once
#include "io/formats/adapter.hpp"
#include "io/formats/decoder.hpp"
#include "io/model/checkpoint.hpp"

namespace stemma {

/// Puts decoded tensors in the place of those that the adapter changes: W + s B A for a pair of factors (for
/// DoRA with every row of that scaled to its magnitude), the adapter's own tensor where it brings a whole
/// one. The adapter's file joins the checkpoint's files, its base its claims. Reads no weight. Throws
/// InvalidInput: adapter.module_not_in_base, adapter.module_twice, adapter.shape_mismatch,
/// adapter.unsupported_weight, adapter.magnitude_missing.
///
/// Source: Hu et al., LoRA (arXiv 2106.09685) 4.1; Liu et al., DoRA (arXiv 2402.09353) equation 5.
void merge_adapter(const Adapter& adapter, Checkpoint& base);

/// Codec "merged_adapter": parts are the weight of the base as stored, A, B and, for DoRA, the magnitudes;
/// the first number is 1 where the update is the transpose of B A (weights stored (in, out), embeddings),
/// else 0; the second the bits of the scale as a double. Products are summed in double and rounded once, to
/// F32.
std::unique_ptr<Decoder> merged_adapter_decoder(const Decoding& decoding, ByteReader& reader);

}  // namespace stemma
