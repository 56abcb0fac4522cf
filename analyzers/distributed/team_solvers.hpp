// With which libraries was this program built, to decompose one matrix on several ranks?
#pragma once
#include <string>

namespace stemma {

/// Versions; "" for a library that this build does not use.
struct TeamSolvers {
  std::string elpa, scalapack;
};

/// Known from the build: STEMMA_HAS_ELPA and STEMMA_HAS_SCALAPACK are texts, the versions found when it was
/// configured. Nothing is loaded.
TeamSolvers team_solvers();

}  // namespace stemma
