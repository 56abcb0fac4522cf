// Which items does a plan consist of, one by one?
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "pipeline/plan.hpp"

namespace stemma {

/// TSV: model, item (its first tensor, or its file), tensors, ranks, seconds, bytes, memory, and whether it
/// fits anywhere. Longest first.
std::string items_table(std::span<const SurveyedModel> models, const Plan& plan);
/// The same rows.
nlohmann::ordered_json items_json(std::span<const SurveyedModel> models, const Plan& plan);

}  // namespace stemma
