// Which models do the operands of a comparison name?
#pragma once
#include <string>
#include <vector>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Fingerprints from archives, sorted by id. An operand is an archive, a run directory, or one of both with
/// :id behind it. Models of different archives that share an id are told apart as ARCHIVE:id, in their claims
/// too. Throws UsageError for what is not there or is named twice, InvalidInput for a file that is no sound
/// archive.
std::vector<Fingerprint> models_of(const std::vector<std::string>& operands);

}  // namespace stemma
