// Which tensors of a checkpoint are parts of quantised weights, and what are these weights?
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// Puts one tensor of decoded values, MODULE.weight of F32, in the place of the parts of every quantised
/// weight. Parts that do not make a weight, and scales of activations, are left out with a finding; all
/// others stay as they are. Suffixes, types and shapes decide; configurations settle what these leave open,
/// and are contradicted where they must be (quant_config_mismatch). Reads configurations beside the first
/// file, where the checkpoint has a config.json, and of the weights shapes, tables and zero points only.
void unite_quantised(Checkpoint& checkpoint);

/// The scheme of a decoding, for people: "GPTQ, 4 bits, groups of 128", "Q4_K, blocks of 256"; "" where
/// nothing was quantised.
std::string quantisation_words(const Decoding& decoding);

/// The same tensor with half distances in the place of values (Decoding::half_distances): how far from a code
/// the value may have been that was rounded to it. What an adapter is merged into is as far off as before
/// (DoRA scales rows a little, and this with them). Null where nothing was quantised.
std::shared_ptr<const Decoding> half_distances_of(const Decoding& decoding);

/// Names the scheme of every quantised tensor.
void name_schemes(Checkpoint& checkpoint);

/// Number of tensors of every scheme that there is, by its name.
std::map<std::string, std::uint64_t> quantisation_schemes_of(const Checkpoint& checkpoint);

}  // namespace stemma
