// Which keys say how the page looks?
#pragma once
#include <vector>

#include "io/config/key_table.hpp"

namespace stemma {

/// The section report of key_table().
std::vector<Key> report_keys();

}  // namespace stemma
