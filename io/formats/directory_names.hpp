// Names of the files of one directory.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

inline std::string beside(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

/// `sorted` as list_directory gives them.
inline bool holds(const std::vector<std::string>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

}  // namespace stemma
