// How long will an item take, on one rank or on a team?
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// Matrices whose shorter side is no longer than this are decomposed by one rank: a message costs more.
inline constexpr std::uint64_t too_small_for_teams = 64;

/// Everything that an item asks for, summed over its subjects.
struct ItemCost {
  double read_bytes = 0;                      ///< from files
  double scanned_bytes = 0;                   ///< hashed and counted
  double flops = 0;                           ///< in plain loops
  std::uint64_t memory = 0;                   ///< peak bytes beside the decomposition
  std::vector<Decomposition> decompositions;  ///< largest first; one is alive at a time

  /// Largest k of its decompositions; 0 when it has none.
  std::uint64_t largest_k() const;
  /// The most ranks that can share it: 1 where no decomposition is worth a team (k <= 64).
  int widest() const;
  /// Peak bytes on each rank of a team of that size, all on one node or not.
  std::uint64_t memory_on(int ranks, bool one_node = true) const;
  bool operator==(const ItemCost&) const;
};

/// Rates of one rank while its whole node works. The built-in reference is one core of a current server
/// beside busy neighbours.
struct CostModel {
  /// Speed of the eigenvalue solver at one size.
  struct EigenRate {
    std::uint64_t k = 0;
    double rate = 0;
    bool operator==(const EigenRate&) const = default;
  };

  std::string name = "built-in reference";
  double product_rate = 45e9;                       ///< R3: flop/s of the Gram matrix, counted as M k^2
  std::vector<EigenRate> eigen_rates{{1024, 8e9}};  ///< Re(k): flop/s, counted as 4/3 k^3; ascending by k
  double read_rate = 0.5e9;                         ///< bytes/s from files
  double scan_rate = 2e9;                           ///< bytes/s that are hashed and counted
  double flop_rate = 4e9;                           ///< flop/s in plain loops
  double team_efficiency = 0.7;                     ///< e_p: what is left of p ranks that work together
  double step_seconds = 25e-6;                      ///< a: of a reduction step, times log2 of the ranks
  double item_seconds = 2e-3;                       ///< t0: message, opening, bookkeeping

  /// Flop/s of the solver at that size: linear in log k between the measured sizes, constant beyond.
  double eigen_rate(double k) const;
  /// t(p): seconds of an item on so many ranks. What a team shares are the decompositions, each among as
  /// many of its ranks as can take part, and reading; loops over the elements take as long as on one rank.
  double seconds(const ItemCost& cost, int ranks) const;
  bool operator==(const CostModel&) const = default;
};

/// As JSON (schema "stemma.calibration/1") and back. Throws std::runtime_error naming what is missing or out
/// of range; rates are positive.
std::string to_json(const CostModel& model);
CostModel cost_model_of(const std::string& text);
/// Throws ConfigProblems when the file cannot be read or is no calibration.
CostModel read_cost_model(const std::filesystem::path& file);

}  // namespace stemma
