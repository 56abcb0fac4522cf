// Are two tensors, or two files, the same bytes?
#pragma once
#include <cstdint>
#include <string>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// Option `sha256`: when not 0, every file is read once more, whole, for its SHA-256.
const Analyzer& content_analyzer();

/// SHA-256 of a file of the model, by index into Checkpoint::files, in hex; "" when it was not computed.
std::string sha256_of_file(const FeatureSource& features, std::uint32_t file);

}  // namespace stemma
