// Which keys say how verdicts and the page look?
#pragma once
#include <vector>

#include "io/config/key_table.hpp"

namespace stemma {

/// The sections verdicts and report of key_table().
std::vector<Key> report_keys();

}  // namespace stemma
