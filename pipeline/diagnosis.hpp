// Would a run do well here, and what should be changed first?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/distributed/team_solvers.hpp"
#include "pipeline/place.hpp"
#include "pipeline/rank_facts.hpp"

namespace stemma {

/// ok: nothing to do. advice: a run works, and would do better. problem: a run would fail or be wrong.
enum class Health : std::uint8_t { ok, advice, problem };
std::string_view name_of(Health health);

struct Check {
  std::string topic, found;
  Health health = Health::ok;
  std::string change;  ///< what to do, in one sentence; "" when all is well
};

/// Everything that is known: of every rank, in order of rank (at least one), and of one directory.
struct Situation {
  std::vector<RankFacts> ranks;
  OutputPlace place;
  std::string mpi;  ///< library and version, "none" when it was not started
  std::string hdf5;
  TeamSolvers solvers;
};

/// One judgement per topic, always the same topics in the same order. Pure.
std::vector<Check> diagnose(const Situation& situation);

/// The worst of them.
Health worst_of(const std::vector<Check>& checks);

}  // namespace stemma
