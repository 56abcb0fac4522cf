// One second of predicted work for each.
#include "pipeline/counted_stage.hpp"

#include <utility>

namespace stemma {

CountedStage::CountedStage(Log& log, std::string stage, std::string_view unit, std::uint64_t total,
                           ProgressTerms terms)
    : progress_(
          log, std::move(stage),
          [this, unit = std::string(unit), total, idle = 0.0](double elapsed) mutable {
            const std::uint64_t done = done_;
            if (done == 0) idle = elapsed;  // what comes before the first one says nothing about the rest
            const PredictedWork work{.total = static_cast<double>(total), .ended = static_cast<double>(done)};
            return WorkState{.unit = unit,
                             .items = done,
                             .items_total = total,
                             .elapsed = elapsed,
                             .eta = done < total ? seconds_to_go(work, 0, elapsed - idle) : std::nullopt};
          },
          std::move(terms)) {}

}  // namespace stemma
