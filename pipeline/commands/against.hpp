// Do two archives hold the same results, and if not, where do they part?
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "io/archive/archive_difference.hpp"

namespace stemma {

/// What holding one archive against another has shown.
struct Against {
  std::string relation;  ///< "equal", "equal but for rounding (...)", "different"
  Agreement agreement = Agreement::equal;
  std::vector<std::string> differing;  ///< sentences about what may not differ
  std::vector<std::string> rounding;   ///< about what may
  ArchiveDifference difference;        ///< empty when all canonical hashes are equal
};

/// Both archives are sound. Reads no more than the hashes when they agree. Throws StorageError.
Against hold_against(const std::filesystem::path& here, const std::filesystem::path& there);

/// stemma.difference/1
nlohmann::ordered_json difference_json(const Against& against);

}  // namespace stemma
