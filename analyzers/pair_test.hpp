// What is a pair test: one question asked of two models.
#pragma once
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// One question asked of two fingerprints. Symmetric: exchanging a and b changes no score.
class PairTest {
 public:
  virtual ~PairTest() = default;
  virtual std::string_view name() const = 0;
  /// Analyzers whose features it reads.
  virtual std::vector<std::string_view> needs() const = 0;
  /// The same test when it has to see the whole corpus before it compares pairs (to standardise, say);
  /// nothing when one pair is enough. `models` must outlive it.
  virtual std::unique_ptr<PairTest> fitted(std::span<const Fingerprint> models) const {
    (void)models;
    return nullptr;
  }
  /// Evidence rows; the first is the headline. A test that cannot be applied returns one row whose `abstain`
  /// says why, never an empty list. Background percentiles are filled in later by `rank_in_background`.
  virtual std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                        const std::map<std::string, std::string>& options) const = 0;
};

}  // namespace stemma
