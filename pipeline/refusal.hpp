// Why can nobody do this item, and what would help?
#pragma once
#include <string>

#include "pipeline/plan.hpp"

namespace stemma {

struct Refusal {
  std::string rule;        ///< plan.memory, or plan.width where the size of an item decides its team
  std::string sentence;    ///< "needs 5.2 GiB on one rank, the budget is 4.0 GiB"
  std::string suggestion;  ///< what to change
};

/// Of an item among Plan::infeasible.
Refusal refusal(const Item& item, const Plan& plan);

}  // namespace stemma
