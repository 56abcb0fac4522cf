// Do these curves look like weights that were never trained?
#pragma once
#include <string>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Why the weights look like a random initialisation, in words; "" when they do not. Two rules, either
/// suffices: every curve of q, k, v, o is flat, or no matrix reaches beyond the edge of a random one. The
/// second also catches initialisers that scale with depth, whose curves agree between strangers. What was not
/// measured never flags.
std::string random_init_reason(const IntrinsicCurves& curves);

}  // namespace stemma
