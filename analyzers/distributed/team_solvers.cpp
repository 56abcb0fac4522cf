// The build knows, nobody else has to be asked.
#include "analyzers/distributed/team_solvers.hpp"

namespace stemma {

TeamSolvers team_solvers() {
  TeamSolvers found;
#ifdef STEMMA_HAS_ELPA
  found.elpa = STEMMA_HAS_ELPA;
#endif
#ifdef STEMMA_HAS_SCALAPACK
  found.scalapack = STEMMA_HAS_SCALAPACK;
#endif
  return found;
}

}  // namespace stemma
