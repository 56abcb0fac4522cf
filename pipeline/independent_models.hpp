// Which models are stated to be independent of all others, and how do others score beside them?
#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Complains (ConfigProblems) about a pattern of `compare.independent` that names none of the models, and
/// about a model named by one that a chain of declarations joins with another of them.
void check_independent(std::span<const Fingerprint> models, const std::vector<std::string>& patterns);

/// Models, by index, that a pattern (*, ? and [...] as of a shell) names, or whose use is `background`,
/// unless declarations join them with another.
std::vector<std::size_t> independent_models(std::span<const Fingerprint> models,
                                            const std::vector<std::string>& patterns);

/// Scores of models with those that are independent of all of them, and the rows of evidence that follow.
/// Only a reference of the same shape stands for a model: for curves as many layers, for neurons MLPs of the
/// same numbers and sizes.
class ReferenceScores {
 public:
  /// The score of a method between a reference and a model of the corpus; NaN where there is none.
  using ScoreOf =
      std::function<double(std::string_view method, const Fingerprint& reference, std::size_t model)>;

  ReferenceScores() = default;
  /// `references` are of a corpus that outlives this; `asked` says by index which of `models` stand in a pair
  /// without a reference. Asks for every score once.
  ReferenceScores(std::span<const Fingerprint> models, std::vector<const Fingerprint*> references,
                  const std::vector<bool>& asked, std::span<const std::string> methods,
                  const ScoreOf& score_of);

  /// Whether the model is one of the references.
  bool holds(const Fingerprint& model) const;

  /// One row for each headline of a method that has a score, where a reference could stand for one of the two
  /// models; none for pairs with a reference. A reference may stand for either model, and which of both is
  /// exchangeable nobody knows, so the larger of both p-values is given: valid if one of them is. One that
  /// rests on too few references is left out beside one that does not.
  std::vector<Evidence> rows(const Pair& pair) const;

 private:
  std::vector<double> beside(std::string_view method, const Fingerprint& stand_in,
                             std::size_t candidate) const;

  std::span<const Fingerprint> models_;
  std::vector<const Fingerprint*> references_;
  std::map<std::pair<std::string, std::size_t>, std::vector<double>, std::less<>> scores_;  ///< by reference
};

}  // namespace stemma
