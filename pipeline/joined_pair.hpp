// How do two models become one list of tensors that plans, orders and workers treat as a model?
#pragma once
#include <filesystem>
#include <set>
#include <string>

#include "analyzers/stream_alignment.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Files, tensors and matrices of the base, then those of the candidate. Both were read by the survey and
/// must outlive the result. `equal`: roles whose weights are known to be equal.
SurveyedModel join(const SurveyedModel& base, const SurveyedModel& candidate, std::set<std::string> equal);

/// Tells a joined pair its alignment. A map of the streams becomes one more matrix, in a file `map_file` that
/// is written here: workers read it like any other. Throws StorageError.
void align(SurveyedModel& joined, const FoundAlignment& found, const std::filesystem::path& map_file);

}  // namespace stemma
