// One second of predicted work for each.
#include "pipeline/counted_stage.hpp"

#include <utility>

namespace stemma {

CountedStage::CountedStage(Log& log, std::string stage, std::string_view unit, std::uint64_t total,
                           ProgressTerms terms)
    : progress_(
          log, std::move(stage),
          [this, unit = std::string(unit), total](double elapsed) {
            const std::uint64_t done = done_;
            const auto ended = static_cast<double>(done);
            return WorkState{
                .unit = unit,
                .items = done,
                .items_total = total,
                .elapsed = elapsed,
                .eta = seconds_to_go({.total = static_cast<double>(total), .ended = ended}, 0, elapsed)};
          },
          std::move(terms)) {}

}  // namespace stemma
