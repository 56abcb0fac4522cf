// Which neurons of two MLPs belong together, by their first answers and, apart from that, by their second?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/neuron_scores.hpp"
#include "analyzers/numerics/mutual_best.hpp"
#include "io/archive/neuron_sketch.hpp"

namespace stemma {

/// Both answers of some neurons at the anchors that two models share, one row per neuron.
struct NeuronAnswers {
  AnswerRows first, second;

  std::size_t rows() const { return first.rows(); }
};

/// Of a block the first `most` neurons, which are its largest; `columns` are the shared anchors among
/// `anchors` of the sketch.
NeuronAnswers answers_of(const NeuronBlock& block, std::size_t anchors,
                         std::span<const std::uint32_t> columns, std::size_t most);

/// The matchings by two matrices of scores of the same neurons, which the caller holds.
class TwoMatchings {
 public:
  TwoMatchings(const ScoreView& first, const ScoreView& second);

  Agreement agreement() const { return stemma::agreement(by_first_, by_second_); }
  /// Mean first score of the neurons that both match alike; NaN where there are none.
  double likeness() const;

 private:
  ScoreView first_;
  std::vector<std::int32_t> by_first_, by_second_;
};

/// All scores of the neurons of two blocks. Under a gate the sign of second answers means nothing.
class BlockScores {
 public:
  BlockScores(const NeuronAnswers& a, const NeuronAnswers& b, bool gated);

  ScoreView first() const { return {first_, rows_, columns_, columns_}; }
  ScoreView second() const { return {second_, rows_, columns_, columns_}; }
  /// The matching by both kinds of answers together.
  std::vector<std::int32_t> by_both() const;
  /// Neurons of b that stand twice in it, as seen from itself: of two blocks that are one, those whose scores
  /// with another neuron reach `limit` in both kinds.
  std::size_t doubled(float limit) const;

 private:
  std::size_t rows_, columns_;
  std::vector<float> first_, second_;
};

}  // namespace stemma
