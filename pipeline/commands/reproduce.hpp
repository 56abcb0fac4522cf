// Does what an archive says come out again?
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "pipeline/commands/against.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/commands/words.hpp"

namespace stemma {

/// What a second run has shown about the first.
struct Reproduced {
  std::vector<std::string> lines;          ///< program and methods, inputs, hashes
  std::vector<std::string> other_methods;  ///< whose version or parameters are not those of the archive
  std::uint64_t inputs = 0, same_inputs = 0;
  Against against;
};

/// The run that wrote an archive, to be done again.
class Reproduction {
 public:
  /// Configuration and models from the archive, its inputs where they were, or under `inputs` ("" for
  /// nowhere else) by id or by the name of their directory. Throws UsageError for an archive that was merged,
  /// inputs that are nowhere and words that are no overrides; InvalidInput for a file whose size is not the
  /// recorded one; what ArchiveReader and parse_run_config throw.
  Reproduction(const std::string& archive, const std::string& inputs, const std::vector<Word>& overrides);

  const Configuration& configuration() const { return configuration_; }
  /// An archive without pairs is made again without.
  void limit(AuditRequest& request) const;

  /// Holds the archive of the second run against the first. Throws StorageError.
  Reproduced hold(const std::filesystem::path& again) const;

 private:
  std::filesystem::path archive_;
  Configuration configuration_;
  bool compares_ = false;
};

/// stemma.reproduce/1
nlohmann::ordered_json reproduced_json(const Reproduced& reproduced, const std::filesystem::path& again);

}  // namespace stemma
