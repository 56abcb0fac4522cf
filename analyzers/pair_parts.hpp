// How does a subject of a pair ask for parts of one side, and how does it find them again?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/pair_analyzer.hpp"
#include "analyzers/same_function_measurement.hpp"

namespace stemma {

/// Of a layer, or of none; a weight where nothing else is said.
Role role_of(Part part, int layer = -1, Kind kind = Kind::weight);

const Model& model_of(const ModelPair& pair, Side side);
std::optional<std::uint32_t> index_in(const ModelPair& pair, Side side, const Role& role);

/// Adds the gain of a norm, where the model has it, to the companions; `parameter` says which one it is, and
/// `parameter`_offset what the family adds to it.
void add_gain(const ModelPair& pair, Side side, const std::string& parameter, const Role& norm,
              Subject& subject);

/// The gain again, with the family's offset; empty where the model has none.
std::vector<double> gain_of(const Subject& subject, std::span<const std::vector<double>> companions,
                            const std::string& parameter);

/// Adds the map of the streams, where there is one, as companion "map", and says how it is to be read
/// ("change"): a map that is too loose for other readings still tells neurons and heads apart, and without
/// any the candidate is taken as it is. Neither how independence is tested nor ratios of cosines ask for
/// more.
void add_map(const ModelPair& pair, Subject& subject);
/// The map again, of a stream of `width`.
StreamAlignment map_of(const Subject& subject, std::span<const std::vector<double>> companions,
                       std::uint64_t width);

/// Adds half distances of the quantised ones among the subject's matrices, as further inputs.
void add_half_distances(const ModelPair& pair, Subject& subject);
/// Which input holds the half distances of another one; nothing where that one is not quantised.
std::optional<std::size_t> half_distances_of_input(const Subject& subject, std::size_t input);

/// Why features of a pair cannot be used: nobody made them, making them failed, or an element is not finite.
/// "" where they can.
std::string problem_of(const std::optional<Features>& features);

}  // namespace stemma
