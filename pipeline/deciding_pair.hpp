// Which pair decided the verdict on a model, and how sure is it?
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "pipeline/comparison.hpp"

namespace stemma {

struct DecidingPair {
  std::size_t index = 0;  ///< of Comparison::pairs
  double log10_p = missing, log10_p_corrected = missing;
  std::optional<Grade> grade;  ///< of the row of evidence that gave the p-value
};

/// Finds the pair of a model and its relative. Looks at the models and the comparison, which must outlive it.
class DecidingPairs {
 public:
  DecidingPairs(std::span<const Fingerprint> models, const Comparison& comparison);
  /// Nothing for a model without a relative.
  std::optional<DecidingPair> of(std::size_t model) const;

 private:
  const Comparison& comparison_;
  std::map<std::string, std::uint32_t> index_of_;
};

}  // namespace stemma
