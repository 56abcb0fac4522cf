// How are the small words of fingerprints and verdicts spelled?
#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/archive/records.hpp"

namespace stemma {
namespace {

template <class Enum, std::size_t N>
std::string_view spelling(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  if (index >= N) throw std::invalid_argument(fmt::format("enumeration value {} has no name", index));
  return names[index];
}

}  // namespace

std::string hex(const Hash128& hash) { return fmt::format("{:016x}{:016x}", hash.hi, hash.lo); }

std::string_view name_of(Status status) {
  return spelling(
      std::to_array<std::string_view>({"ok", "nonfinite", "failed", "skipped", "duplicate", "pending"}),
      status);
}

std::string_view name_of(Use use) {
  return spelling(std::to_array<std::string_view>({"subject", "reference", "background"}), use);
}

std::string_view name_of(Stage stage) {
  return spelling(
      std::to_array<std::string_view>({"survey", "plan", "read", "compute", "write", "compare", "confirm"}),
      stage);
}

std::string_view name_of(Grade grade) {
  return spelling(std::to_array<std::string_view>({"G", "C", "M", "N", "X"}), grade);
}

std::string_view name_of(Relation relation) {
  return spelling(std::to_array<std::string_view>({"EXACT_COPY", "REENCODED_COPY", "REPARAMETRISED_COPY",
                                                   "LOW_RANK_RELATED", "SAME_LINEAGE", "PARTIAL_LINEAGE",
                                                   "SHARED_INIT", "NO_EVIDENCE", "ABSTAIN"}),
                  relation);
}

}  // namespace stemma
