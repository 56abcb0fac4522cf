// What are the few things that every table says about a pair?
#pragma once
#include <algorithm>
#include <string_view>

#include "io/archive/evidence.hpp"

namespace stemma {

/// The row that stands for a whole test; nullptr when the test was not made.
inline const Evidence* headline(const Pair& pair, std::string_view method) {
  const auto row = std::find_if(pair.evidence.begin(), pair.evidence.end(),
                                [&](const Evidence& e) { return e.method == method && e.role.empty(); });
  return row == pair.evidence.end() ? nullptr : &*row;
}

}  // namespace stemma
