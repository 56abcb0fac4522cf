// How is a map of blocks told, exactly for programs and shortly for readers?
#pragma once
#include <string>
#include <vector>

#include "analyzers/block_map.hpp"

namespace stemma {

/// "0-1:0-1 3:2", the matches of a and b, with runs of numbers put together; experts as "3:3.0-7" or
/// "3.0-7:3.0-7". A run names as many blocks on both sides, in order, or one block on one of them.
std::string exact_words(const std::vector<BlockMatch>& matches);
/// "2 4" or "2.0-7".
std::string exact_words(const std::vector<BlockPlace>& places);

/// "Layers 0-3 of B are 0, 1, 3 and 5 of A; layers 2 and 4 of A match nothing of B.", for models of these
/// names. "" where every block is the other's of the same number.
std::string map_words(const BlockMap& map, const std::string& a, const std::string& b);

/// "B lacks layers of A, so it comes from A or from a relative that has them.", or why no order is said.
std::string order_words(const BlockMap& map, const std::string& a, const std::string& b);

}  // namespace stemma
