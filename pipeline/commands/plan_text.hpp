// How is a plan shown?
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "io/config/run_series.hpp"
#include "pipeline/audit.hpp"

namespace stemma {

/// The models of a request, and one plan for each number of ranks.
struct PlannedRun {
  std::vector<SurveyedModel> models;
  std::vector<Plan> plans;

  /// Every model could be read and, on the first number of ranks, every item fits.
  bool good() const;
};

/// Surveys the models of `request` and plans for each number of ranks. `ranks_here` share this machine's
/// memory when the request does not say how much a rank may use.
PlannedRun planned(const AuditRequest& request, const std::vector<int>& ranks, int ranks_here);

/// One column for each number of ranks. The plan is of run `index` of the series; of a sweep the points are
/// shown first.
void print_plan(const RunSeries& series, std::size_t index, const PlannedRun& run);
/// stemma.plan/1
nlohmann::ordered_json plan_json(const RunSeries& series, std::size_t index, const PlannedRun& run);

}  // namespace stemma
