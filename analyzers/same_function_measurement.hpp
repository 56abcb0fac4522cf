// How does one part of both models answer, and how far would rounding alone move its answers?
#pragma once
#include <string_view>

#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// What is asked of a pair.
enum class FunctionPart : std::uint8_t { attention, mlp, table, head };

/// The two models of a pair.
enum class Side : std::uint8_t { base, candidate };

/// What a subject's companions are, of each side.
enum class Companion : std::uint8_t {
  tokens,
  norm_gain,
  norm_bias,
  query_gain,
  key_gain,
  first_bias,  ///< of the first matrix, then those of the others in their order
};
inline constexpr int companions_of_side = 9;

/// States of a sequence, and the most states that are asked.
inline constexpr std::uint64_t sequence_length = 16, most_tokens = 128;

/// Parameter that says something of one side: width, heads, kv_heads, head_width, centred, rope,
/// rotary_width.
std::string side_parameter(Side side, std::string_view name);
/// Parameter that says where among the companions one lies; absent where the model has none.
std::string companion_parameter(Side side, int companion);

Cost function_cost(const Subject& subject, std::span<const Input> inputs);

/// Features: numbers first, noise_edge, delta and blur, as FunctionReading has them; status nonfinite where
/// an answer is not finite.
std::unique_ptr<Measurement> begin_function(const Subject& subject, std::span<const Input> inputs,
                                            std::span<const std::vector<double>> companions);

}  // namespace stemma
