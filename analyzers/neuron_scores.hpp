// How alike do neurons of two models answer the tokens that both models have?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/archive/neuron_sketch.hpp"

namespace stemma {

/// Anchors that two sketches have in common, as columns of each.
struct SharedAnchors {
  std::vector<std::uint32_t> of_a, of_b;
  bool by_row = false;  ///< joined by their numbers, because no strings were at hand

  std::size_t size() const { return of_a.size(); }
};

/// Joins by the tokens' bytes where both models were given enough of these, else by row. Anchors that say
/// nothing in one of the models are left out.
SharedAnchors shared_anchors(const NeuronSketch& a, const NeuronSketch& b);

/// Answers of one kind at shared anchors, ready for products: integers as floats, so that sums of products
/// are exact in any order.
class AnswerRows {
 public:
  AnswerRows() = default;
  /// `answers` row-major with `stride` columns; of all rows the first `most`.
  AnswerRows(std::span<const std::int8_t> answers, std::size_t stride, std::span<const std::uint32_t> columns,
             std::size_t most);

  /// The rows of `more`, over the same anchors, after these.
  void append(const AnswerRows& more);

  std::size_t rows() const { return sum_.size(); }
  /// Integers, row-major, rows() x anchors.
  std::span<const float> values() const { return values_; }
  double sum(std::size_t row) const { return sum_[row]; }
  /// 1 / sqrt(n sum x^2 - (sum x)^2); 0 for a row without variation.
  double scale(std::size_t row) const { return scale_[row]; }

 private:
  std::vector<float> values_;
  std::vector<double> sum_, scale_;
};

/// Correlations over anchors of rows of a with rows of b, row-major a.rows() x b.rows(): products of rows
/// with their means removed, scaled to length 1. Rows without variation have -2 with everybody. Where
/// `sign_free`, their absolute value.
std::vector<float> correlations(const AnswerRows& a, const AnswerRows& b, bool sign_free);

/// Correlation of two attention readings over the shared anchors that both were asked about, means of rows
/// and columns removed; NaN where there are fewer than 16 or where one does not vary.
double attention_correlation(const NeuronSketch& a, const AttentionBlock& of_a, const NeuronSketch& b,
                             const AttentionBlock& of_b, const SharedAnchors& shared);

}  // namespace stemma
