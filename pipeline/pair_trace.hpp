// What do the weights of one pair come to?
#pragma once
#include <cstdint>

#include "analyzers/reencoding.hpp"
#include "io/archive/origin_trace.hpp"

namespace stemma {

/// Models by index, and what was found between them.
struct PairTrace {
  std::uint32_t base = 0, candidate = 0;
  OriginTrace origin;
  Reencoding content;
};

}  // namespace stemma
