// What do the fingerprints of a corpus say about every pair?
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analyzers/background.hpp"
#include "analyzers/neuron_agreement.hpp"
#include "analyzers/pair_test.hpp"
#include "analyzers/verdict.hpp"
#include "pipeline/done_count.hpp"
#include "pipeline/independent_models.hpp"
#include "pipeline/pair_trace.hpp"

namespace stemma {

/// Which pairs, which tests with which options, and whose scores are the background.
struct ComparisonPlan {
  enum class Which : std::uint8_t { all, declared, reference, listed };
  Which which = Which::all;
  std::vector<std::pair<std::string, std::string>> listed;  ///< ids, for Which::listed
  std::map<std::string, std::map<std::string, std::string>> tests;
  std::string background = "corpus";     ///< "corpus", "published", "none", or the path of a table
  std::vector<std::string> independent;  ///< names of models that are independent of all others
  bool check_declarations = true;        ///< whether verdicts hold declared bases against the evidence
  std::vector<std::string> known;        ///< ids of models of other archives, sorted: no pairs among these
  LineageRule rule = {};                 ///< by which neurons are judged, of archives and of weights
};

/// Pairs of models, by index, that the plan asks about: ascending, a < b.
using ModelPairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
ModelPairs chosen_pairs(std::span<const Fingerprint> models, const ComparisonPlan& plan);

/// Up to so many pairs keep every row of evidence (a family of 200 models). A larger comparison keeps the
/// headline of each test, its conformal p-value, and the places of neurons, whose p-value is guaranteed: the
/// curves behind it are in the archive, and `stemma compare ARCHIVE:A ARCHIVE:B` prints all rows.
inline constexpr std::size_t most_detailed_pairs = 20'000;

/// The few numbers of a pair that tables show beside its verdict.
struct PairNumbers {
  std::uint64_t equal_tensors = 0, equal_bytes = 0;
  double equal_share = missing;     ///< equal bytes over the bytes of the larger model
  double permuted_share = missing;  ///< bytes of equal values in another order, likewise
  double twin_score = missing;
};

/// What the weights of a pair said, as a run has just found it or an archive kept it.
struct WeightVerdict {
  std::uint32_t a = 0, b = 0;  ///< models by index, a < b
  std::vector<Evidence> evidence;
  Relation relation = Relation::abstain;
  std::string reason, sentence;
  int direction = 0;
};

/// The chosen pairs of a corpus, judged, with the verdict on every model. No weight is read. Pairs stay
/// small, so that half a million fit; the evidence of one is made again when it is asked for. Not copied: it
/// looks at the fingerprints that it was made from, which must outlive it.
class Comparison {
 public:
  Comparison() = default;
  /// Every chosen pair of `models` (sorted by id) gets a row, also when no test applies to it. Tests that
  /// standardise over a corpus do so over `company`, which must outlive it as well, or, where that is empty,
  /// over `models`; models that are stated to be independent are looked for there as well. `neurons`:
  /// agreements of the chosen pairs, where several ranks have found them; else they are found here. `judged`,
  /// where somebody wants to know, counts pairs. Throws ConfigProblems for a background table that cannot be
  /// used.
  Comparison(std::span<const Fingerprint> models, ComparisonPlan plan,
             std::span<const Fingerprint> company = {}, std::vector<NeuronAgreement> neurons = {},
             DoneCount* judged = nullptr);
  Comparison(Comparison&&) = default;
  Comparison& operator=(Comparison&&) = default;

  std::size_t size() const { return pairs_.size(); }
  /// Sorted by (a, b), models by index; without evidence and sentence.
  std::span<const Pair> pairs() const { return pairs_; }
  /// Place of the pair of two models, a < b; nothing when it was not chosen.
  std::optional<std::size_t> index_of(std::uint32_t a, std::uint32_t b) const;
  const PairNumbers& numbers(std::size_t index) const { return numbers_[index]; }
  Rank curve_rank(std::size_t index) const { return rank_of(background_, models_, pairs_[index]); }
  /// The pair with its sentence and evidence; above most_detailed_pairs only the headline of each test.
  Pair with_evidence(std::size_t index) const;

  /// Adds what the weights of some pairs say: their verdicts, the models' verdicts and the background follow.
  /// Pairs that were not compared are left out.
  void confirm(std::vector<PairTrace> traces);
  /// The same of what was said before.
  void recall(std::vector<WeightVerdict> verdicts);
  /// Whether weights of the pair were read, now or for its archive.
  bool confirmed(std::size_t index) const { return said_.contains({pairs_[index].a, pairs_[index].b}); }
  /// The trace of a pair, nullptr when its weights were not read.
  const PairTrace* trace(std::size_t index) const;

  const std::vector<ModelVerdict>& verdicts() const { return verdicts_; }
  const Background& background() const { return background_; }

 private:
  Pair test(std::size_t index) const;
  void weigh();
  void weigh_neurons(std::vector<NeuronAgreement> found);
  void hold_against_independent(std::span<const Fingerprint> company);
  double score_beside(std::string_view method, const Fingerprint& reference, std::size_t model) const;
  NeuronStanding standing(std::size_t index) const;

  /// A test that was chosen, fitted to the corpus where it asks for that.
  struct Chosen {
    const PairTest* test = nullptr;
    std::unique_ptr<PairTest> fitted;
    std::map<std::string, std::string> options;
  };

  std::span<const Fingerprint> models_;
  ComparisonPlan plan_;
  std::vector<Chosen> tests_;
  std::vector<Pair> pairs_;
  std::vector<PairNumbers> numbers_;
  std::vector<NeuronAgreement> neurons_;  ///< by pair; empty where nobody asked
  ReferenceScores references_;
  std::vector<double> neuron_levels_;                      ///< of places and of both matchings, pair by pair
  using Models = std::pair<std::uint32_t, std::uint32_t>;  ///< a < b
  std::map<Models, PairTrace> traces_;
  std::map<Models, WeightVerdict> said_;
  std::vector<ModelVerdict> verdicts_;
  Background background_;
};

/// A TSV with columns stratum (8-15, 16-23, 24-35, 36+, <8) and score. Throws ConfigProblems.
Background read_background_table(const std::string& path);

/// A TSV with columns a and b. Throws ConfigProblems.
std::vector<std::pair<std::string, std::string>> read_pair_list(const std::string& path);

}  // namespace stemma
