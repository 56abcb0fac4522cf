// How do sketches of neurons and their agreements travel between ranks?
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "analyzers/neuron_agreement.hpp"
#include "io/archive/neuron_sketch.hpp"

namespace stemma {

/// Bytes that a sketch takes on its way, to a few per cent.
std::size_t travelling_bytes(const NeuronSketch& sketch);

std::vector<std::byte> encode_sketches(std::span<const NeuronSketch* const> sketches);
std::vector<NeuronSketch> decode_sketches(std::span<const std::byte> bytes);

/// Agreements with their places in a list of pairs.
struct PlacedAgreement {
  std::uint64_t pair = 0;
  NeuronAgreement found;
};
std::string encode_agreements(std::span<const PlacedAgreement> agreements);
std::vector<PlacedAgreement> decode_agreements(const std::string& bytes);

}  // namespace stemma
