// Matchings are by mutual preference: what two neurons have in common with everybody helps none of them.
#include "analyzers/block_scores.hpp"

#include "io/archive/evidence.hpp"

namespace stemma {

NeuronAnswers answers_of(const NeuronBlock& block, std::size_t anchors,
                         std::span<const std::uint32_t> columns, std::size_t most) {
  return {AnswerRows(block.first, anchors, columns, most), AnswerRows(block.second, anchors, columns, most)};
}

TwoMatchings::TwoMatchings(const ScoreView& first, const ScoreView& second)
    : first_(first), by_first_(mutual_best(first)), by_second_(mutual_best(second)) {}

double TwoMatchings::likeness() const {
  double sum = 0, n = 0;
  for (std::size_t i = 0; i < by_first_.size(); ++i) {
    if (by_first_[i] == unmatched || by_first_[i] != by_second_[i]) continue;
    sum += static_cast<double>(first_.row(i)[static_cast<std::size_t>(by_first_[i])]);
    ++n;
  }
  return n > 0 ? sum / n : missing;
}

BlockScores::BlockScores(const NeuronAnswers& a, const NeuronAnswers& b, bool gated)
    : rows_(a.rows()),
      columns_(b.rows()),
      first_(correlations(a.first, b.first, false)),
      second_(correlations(a.second, b.second, gated)) {}

std::vector<std::int32_t> BlockScores::by_both() const {
  std::vector<float> sum(first_);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += second_[i];
  return mutual_best({sum, rows_, columns_, columns_});
}

std::size_t BlockScores::doubled(float limit) const {
  std::size_t found = 0;
  for (std::size_t j = 0; j < columns_; ++j)
    for (std::size_t i = 0; i < rows_; ++i)
      if (i != j && first_[i * columns_ + j] >= limit && second_[i * columns_ + j] >= limit) {
        ++found;
        break;
      }
  return found;
}

}  // namespace stemma
