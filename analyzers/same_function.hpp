// Do two models compute the same in other coordinates?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyzers/pair_analyzer.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"

namespace stemma {

/// Subjects, each of which asks one part of both models the same things and compares the answers:
/// layers/L/attention, layers/L/mlp   by sequences of tokens, read at other tokens
/// embed, pos_embed, lm_head          every row, by the same tokens
/// control                            the MLP of the base's first layer against that of the candidate's last
///
/// Tokens speak for the residual stream: states are rows of a model's own embedding, normalised, and answers
/// are read as inner products with other such rows, so neither a rotation of the stream nor anything inside
/// a layer changes a number, and no map between the coordinates has to be known. `pair.tokens` names the
/// rows. Options: seed. No subjects where same_function_obstacle says why.
const PairAnalyzer& same_function_analyzer();

/// What follows "because" where functions cannot be compared as a whole; "" when they can. From headers only.
std::string same_function_obstacle(const ModelPair& pair);

/// How many rows of an embedding of `rows` rows serve as tokens: two sets of equal size, each a multiple of
/// the length of a sequence; 0 where there are too few.
std::uint64_t tokens_of(std::uint64_t rows);

/// One part of both models.
struct FunctionReading {
  std::string subject;
  bool agrees = false;          ///< first <= 2 noise_edge
  double first = missing;       ///< largest singular value of the difference of all answers
  double noise_edge = missing;  ///< s*: that of the difference which rounding the stored weights makes
  double delta = missing;       ///< |difference|_F over the root mean square of both
  double blur = missing;        ///< that rounding over the largest singular value of the answers themselves
  std::string problem;          ///< why the reading failed, or says nothing
};

/// All parts, or why none was read. Nobody asks where other readings explain a pair: then it is empty.
struct SameFunction {
  std::string obstacle;
  std::vector<FunctionReading> readings;  ///< by layer, then the others; without the control
  FunctionReading control;                ///< without subject where a single layer leaves none
  std::uint64_t agreeing = 0;
  bool asked() const { return !readings.empty() || !obstacle.empty(); }
  /// Every part agrees, and unlike layers do not.
  bool all_agree() const {
    return !readings.empty() && agreeing == readings.size() && !(control.subject.empty() || control.agrees);
  }
};
SameFunction same_function_of(const ModelPair& pair, const FeatureSource& features);

/// Rows of evidence: one for the pair, then one for each part; none where nobody asked.
std::vector<Evidence> same_function_evidence(const SameFunction& found);

}  // namespace stemma
