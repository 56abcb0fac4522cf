// How is one place of a pair read, once the matrices of both models have come?
#pragma once
#include "analyzers/origin_tracer.hpp"

namespace stemma {

/// Of a subject of origin_tracer.
Cost origin_cost(const Subject& subject, std::span<const Input> inputs);

/// Features: counts label (OriginLabel), rank, limit, significant; numbers ratio, first, behind, noise_edge,
/// delta, update, cosine (NaN where a reading has none); reals values. Status nonfinite and none of them
/// where an element is not finite.
///
/// Which model was made from the other is not known, so both have a null: the circuit of each, or the type of
/// each for one matrix; of codes what their half distances allow. LOW_RANK by the smaller of them stays;
/// everything else is read by the larger. The two models may change places: circuits and tensors then say the
/// same.
std::unique_ptr<Measurement> begin_origin(const Subject& subject, std::span<const Input> inputs,
                                          std::span<const std::vector<double>> companions);

}  // namespace stemma
