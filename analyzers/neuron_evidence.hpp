// How is the agreement of neurons told as rows of evidence?
#pragma once
#include <vector>

#include "analyzers/neuron_agreement.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

/// The headline (agreement of two matchings), the places of neurons (role "places"), then one row for each
/// pair of blocks.
std::vector<Evidence> neuron_evidence(const NeuronAgreement& found, const NeuronSketch& a,
                                      const NeuronSketch& b);

}  // namespace stemma
