// Which keys say what evidence has to come to before it makes a verdict?
#pragma once
#include <vector>

#include "io/config/key_table.hpp"

namespace stemma {

/// The section verdicts of key_table().
std::vector<Key> verdict_keys();

}  // namespace stemma
