// How do two models become one list of tensors that plans, orders and workers treat as a model?
#pragma once
#include <filesystem>
#include <set>
#include <string>

#include "analyzers/stream_alignment.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Files, tensors and matrices of the base, then those of the candidate, then half distances of the quantised
/// ones. Both were read by the survey and must outlive the result. `equal`: roles whose weights are known to
/// be equal.
SurveyedModel join(const SurveyedModel& base, const SurveyedModel& candidate, std::set<std::string> equal);

/// Tells a joined pair its alignment. A map of the streams becomes one more matrix, in a file `map_file` that
/// is written here unless it is there already: workers read it like any other. Throws StorageError.
void align(SurveyedModel& joined, const FoundAlignment& found, const std::filesystem::path& map_file);

/// Adds rows of both embeddings, which same_function asks with; nothing where there are too few, where the
/// vocabularies differ in size, or where an embedding does not lie row by row in its file.
void add_tokens(SurveyedModel& joined);

}  // namespace stemma
