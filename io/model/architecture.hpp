// How do one family's tensor names become roles, splits and layouts? Data, read from YAML.
#pragma once
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/model.hpp"

namespace stemma {

struct Architecture;  // one expanded, validated table; see architecture_table.hpp

/// A family was forced that no table describes.
class UnknownFamily : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// All known families, in order of their names.
class ArchitectureTables {
 public:
  /// Tables of every *.yaml in the directories, later directories may `replaces:` a family of earlier ones.
  /// Throws ConfigProblems with every fault of every file (file, line, column, what, nearest known key).
  static ArchitectureTables load(const std::vector<std::filesystem::path>& directories);

  /// The tables shipped with this build, and behind them those of `more` directories. Throws as load does.
  static ArchitectureTables shipped_and(const std::vector<std::filesystem::path>& more);

  /// Chooses the family (what the user forced, else claims that hold, else names that fit) and makes the
  /// canonical matrices. Never throws for what a checkpoint says: contradictions become findings, unexplained
  /// tensors keep Part::unknown. Throws UnknownFamily when `forced_family` is not a known family.
  Model canonicalise(Checkpoint checkpoint, std::string_view forced_family = "") const;

  std::vector<std::string> families() const;

 private:
  std::vector<std::shared_ptr<const Architecture>> tables_;
};

/// Directory of the tables shipped with this build: $STEMMA_SHARE/architectures, else beside the program,
/// else the source tree that it was built from.
std::filesystem::path shipped_architectures();

}  // namespace stemma
