// What do neurons that were matched between two models say against independent starts, whoever matched them?
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "analyzers/json_text.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"

namespace stemma {

/// Neurons of two MLPs, held against each other.
struct NeuronCounts {
  std::uint64_t kept = 0;      ///< neurons of the smaller selection
  std::uint64_t units = 0;     ///< neurons of the larger MLP
  std::uint64_t matched = 0;   ///< neurons of the first that both kinds of scores match
  std::uint64_t agreeing = 0;  ///< those that both match with the same neuron of the other
  std::uint64_t labelled = 0;  ///< neurons that the sum of both scores matches
  std::uint64_t fixed = 0;     ///< those that stand at the same place in both MLPs
  bool sorted = false;         ///< somebody ordered the neurons of one of them: places say nothing

  /// Of agreeing neurons; NaN where there are none to agree.
  double share() const {
    return kept == 0 ? missing : static_cast<double>(agreeing) / static_cast<double>(kept);
  }
};

/// What three matchings of the neurons of one MLP with `others` of another come to: by the first kind of
/// scores, by the second and by both, of one length. All neurons are kept; nobody sorted them.
NeuronCounts counts_of(std::span<const std::int32_t> by_first, std::span<const std::int32_t> by_second,
                       std::span<const std::int32_t> by_both, std::uint64_t others);
/// As counts of features, and back.
std::map<std::string, std::uint64_t> as_features(const NeuronCounts& counts);
NeuronCounts counts_in(const Features& features);

/// Two tests of H0: both models come from independent random initialisations, whatever else they share.
/// p-values are natural logarithms.
///
/// Places. Initialisation is exchangeable over hidden units and training does not see their order (arXiv
/// 2502.12292), so under H0 the places of one model's neurons are a uniformly random relabelling, independent
/// for each MLP, and the number F of m matched pairs that stand at the same place of N has
///     E[C(F, k)] <= C(m, k) (N - k)! / N! <= (m / N)^k / k!
/// Summed over MLPs with L = sum m / N: P(F >= k) <= min(L^k / k!, e^(k - L) (L / k)^k). Guaranteed, also
/// where the data are the same. A permutation of neurons destroys its power, not its validity.
///
/// Two matchings. One by the first kind of scores, one by the second; places do not enter, so no exact change
/// of parameters moves the result. Independent models trained on one kind of data share a few neurons, in the
/// first block up to 7 % of them, so only what is beyond a tenth of the neurons counts: K = max(0, F - 0.1
/// n), with the bound above at L = number of MLPs.
struct NeuronTests {
  std::uint64_t fixed = 0, labelled = 0;  ///< sums over MLPs whose neurons nobody sorted
  bool sorted = false;                    ///< there are no such MLPs
  double log_p_places = 0;                ///< guaranteed: from `fixed`
  double log_p_robust = 0;                ///< from agreements beyond a tenth of the neurons
  double log_p_nominal = 0;               ///< from all agreements: printed, never used
};

/// Adds MLPs up to the tests of all of them.
class NeuronTally {
 public:
  void add(const NeuronCounts& counts);
  NeuronTests tests() const;

 private:
  std::uint64_t mlps_ = 0, placed_ = 0, fixed_ = 0, labelled_ = 0, agreeing_ = 0, beyond_ = 0;
  double expected_ = 0;  ///< fixed points under H0
};

/// Those of one MLP alone.
NeuronTests tests_of(const NeuronCounts& counts);

/// A row of evidence about H0.
Evidence independence_row(std::string method, std::string statistic, std::string role);
/// The row of the places, but for what is special to a method.
Evidence places_row(std::string method, const NeuronTests& tests);
/// The counts of two MLPs, for the details of a row.
JsonObject as_details(const NeuronCounts& counts);

}  // namespace stemma
