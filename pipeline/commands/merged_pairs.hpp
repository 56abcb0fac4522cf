// Which pairs of a merged archive did no source compare, and what do their fingerprints say?
#pragma once
#include <cstdint>
#include <vector>

#include "io/archive/merge_archives.hpp"

namespace stemma {

struct PairsAcross {
  NewPairs compared;
  std::uint64_t left_out = 0;  ///< pairs across sources whose methods or comparisons differ
  bool asked = true;           ///< false: no source holds pairs, so nobody asked for them
};

/// Compares models that no source holds together, as the sources compared theirs: where the runs that
/// measured them used the same methods with the same parameters and were configured for the same comparison.
/// No weight is read. Nothing is compared when no source holds pairs. Throws StorageError, InvalidInput.
PairsAcross compare_across(const std::vector<MergeSource>& sources, const MergePlan& plan);

}  // namespace stemma
