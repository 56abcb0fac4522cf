// What do the weights of one pair come to?
#pragma once
#include <cstdint>

#include "analyzers/verdict.hpp"

namespace stemma {

/// Models by index, and what was found between them.
struct PairTrace : WeightFindings {
  std::uint32_t base = 0, candidate = 0;
};

}  // namespace stemma
