// How is the agreement of neurons told as rows of evidence?
#pragma once
#include <vector>

#include "analyzers/neuron_agreement.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// compare_neurons of two models; abstains (unsupported) where one was not sketched.
NeuronAgreement compare_neurons_of(const Fingerprint& a, const Fingerprint& b,
                                   double share = thresholds::agreeing_neurons);

/// The headline (agreement of two matchings), the places of neurons (role "places"), attention (role
/// "attention"), then one row for each pair of blocks that the agreement still holds.
std::vector<Evidence> neuron_evidence(const NeuronAgreement& found, const Fingerprint& a,
                                      const Fingerprint& b);

}  // namespace stemma
