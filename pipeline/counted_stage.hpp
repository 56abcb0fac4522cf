// How far is a stage of which nothing is known but how many things it has to do?
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/done_count.hpp"
#include "pipeline/progress.hpp"

namespace stemma {

/// Shows a stage in which things of one kind are done, each expected to take as long as any other: headers of
/// models, pairs of fingerprints. What comes before the first and after the last of them has no estimate.
class CountedStage {
 public:
  /// `unit`: what is counted, in the plural.
  CountedStage(Log& log, std::string stage, std::string_view unit, std::uint64_t total, ProgressTerms terms);

  DoneCount& done() { return done_; }

 private:
  DoneCount done_ = 0;
  Progress progress_;  ///< last: its thread reads the count
};

}  // namespace stemma
