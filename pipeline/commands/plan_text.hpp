// How is a plan shown?
#pragma once
#include <vector>

#include "io/config/run_series.hpp"
#include "pipeline/audit.hpp"

namespace stemma {

/// Surveys the models of `request`, plans for each number of ranks and prints one column for each (or one
/// JSON document). `ranks_here` share this machine's memory when the request does not say how much a rank may
/// use. `request` is run `index` of the series; of a sweep the points are shown first. Returns true when
/// every model could be read and every item fits.
bool print_plan(const RunSeries& series, std::size_t index, const AuditRequest& request,
                const std::vector<int>& ranks, bool json, int ranks_here);

}  // namespace stemma
