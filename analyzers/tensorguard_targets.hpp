// Which tensors of a checkpoint does tensorguard look at?
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// By name alone, the first that fits: "embed"; "attention" or "attn"; "ffn" or "mlp"; anything else.
enum class GuardClass : std::uint8_t { embedding, attention, ffn, other };
GuardClass guard_class_of(std::string_view name);

struct GuardTarget {
  std::uint32_t tensor = 0;  ///< index into Checkpoint::tensors; 2-D, of a type that widens to numbers
  GuardClass kind = GuardClass::other;
};

/// How arXiv 2506.01631 chooses: tensors whose name contains "layers." with a number above `max_layer` are
/// left out; if more than `most` matrices remain, up to three of each class, evenly spread over the sorted
/// names, and further ones at random until there are `most`. The original draws those from an unordered set,
/// so its choice cannot be repeated; here the seed and the sorted names decide. Sorted by name.
std::vector<GuardTarget> guard_targets(const Checkpoint& checkpoint, std::size_t most, int max_layer,
                                       std::uint64_t seed);

/// The matrix whose rows are the classes of the adversarial noise for inputs of n elements: the first by name
/// with n columns. Every target of n columns has one, if only itself.
std::uint32_t guard_probe(const Checkpoint& checkpoint, std::uint64_t n, int max_layer);

}  // namespace stemma
