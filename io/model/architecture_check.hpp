// Is an expanded table free of contradictions?
#pragma once
#include <string>
#include <vector>

#include "io/config/problems.hpp"
#include "io/model/architecture_table.hpp"

namespace stemma {

/// All faults that only show when a table is seen whole: unknown dimensions and variants, circles of
/// defaults, two entries for one name or one role, names that are both ignored and used, no essential role.
/// What was taken over from another file is reported there and not again.
std::vector<Problem> faults_of(const Architecture& table);

}  // namespace stemma
