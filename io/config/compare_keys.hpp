// Which keys say how models are compared from archives?
#pragma once
#include <vector>

#include "io/config/key_table.hpp"

namespace stemma {

/// The section compare of key_table().
std::vector<Key> compare_keys();

}  // namespace stemma
