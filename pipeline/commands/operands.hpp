// Which models do the operands of a comparison name?
#pragma once
#include <string>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "pipeline/comparison.hpp"

namespace stemma {

/// Fingerprints from archives, sorted by id. An operand is an archive, a run directory, or one of both with
/// :id behind it. Models of different archives that share an id are told apart as ARCHIVE:id, in their claims
/// too. Throws UsageError for what is not there or is named twice, InvalidInput for a file that is no sound
/// archive.
std::vector<Fingerprint> models_of(const std::vector<std::string>& operands);

/// All models of the archives that operands name, also those that are not compared: a test that standardises
/// over a corpus gives a pair of a run the run's score. Empty where operands name whole archives, which hold
/// no more than models_of. Throws like models_of.
std::vector<Fingerprint> company_of(const std::vector<std::string>& operands);

/// What the weights said about pairs when an archive was made. Models by their index there.
std::vector<WeightVerdict> weight_verdicts_in(const ArchiveReader& archive);

/// What the weights said about pairs of `models` when their archives were made, for archives that were
/// traced. Models by index; those that were renamed to tell them apart are left out. Throws like models_of.
std::vector<WeightVerdict> weight_verdicts_of(const std::vector<std::string>& operands,
                                              const std::vector<Fingerprint>& models);

}  // namespace stemma
