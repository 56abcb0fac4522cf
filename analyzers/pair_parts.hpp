// How does a subject of a pair ask for parts of one side?
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "analyzers/pair_analyzer.hpp"
#include "analyzers/same_function_measurement.hpp"

namespace stemma {

const Model& model_of(const ModelPair& pair, Side side);
std::optional<std::uint32_t> index_in(const ModelPair& pair, Side side, const Role& role);

/// Adds the gain of a norm, where the model has it, to the companions; `parameter` says which one it is, and
/// `parameter`_offset what the family adds to it.
void add_gain(const ModelPair& pair, Side side, const std::string& parameter, const Role& norm,
              Subject& subject);

/// Adds the map of the streams, where there is one, as companion "map", and says how it is to be read
/// ("change"): a map that is too loose for other readings still tells neurons and heads apart, and without
/// any the candidate is taken as it is. Neither how independence is tested nor ratios of cosines ask for
/// more.
void add_map(const ModelPair& pair, Subject& subject);

}  // namespace stemma
