// What do findings, declarations or features look like, as one table of all targets?
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// What inspect shows instead of everything.
enum class Shown : std::uint8_t { everything, findings, declared, features };

/// A model, and what is said about its descent: by the user first, then by its files.
struct StatedLineage {
  std::string model;
  std::vector<Claim> claims;
};

/// One part of one target; the lists of the other parts are empty.
struct PartOfTarget {
  std::string target, kind;
  std::vector<ModelFinding> findings;
  std::vector<StatedLineage> declared;
  std::vector<Fingerprint> measured;
};

PartOfTarget part_of(const SurveyedModel& model, Shown part);
/// Models of the archive are named as its file says, after `prefix`; paths are shortened for others where
/// that is asked for. Throws UsageError, InvalidInput.
PartOfTarget part_of_archive(const std::string& target, Shown part, const std::string& prefix, bool redacted);

/// One TSV with a header line. A model that declares nothing has a row with empty cells.
std::string part_table(std::span<const PartOfTarget> targets, Shown part);
/// One object for each target, with the same rows.
nlohmann::ordered_json part_json(std::span<const PartOfTarget> targets, Shown part);

}  // namespace stemma
