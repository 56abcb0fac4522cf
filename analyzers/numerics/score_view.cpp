// How is a matrix of scores seen that somebody else holds?
#include "analyzers/numerics/score_view.hpp"

#include <limits>
#include <stdexcept>

namespace stemma {

void check_sides(std::size_t rows, std::size_t columns) {
  constexpr std::size_t longest = std::numeric_limits<std::int32_t>::max();
  if (rows > longest || columns > longest) throw std::invalid_argument("scores: a side is 2^31 or more");
}

void check_view(const ScoreView& scores) {
  check_sides(scores.rows, scores.columns);
  if (scores.stride < scores.columns) throw std::invalid_argument("scores: rows overlap");
  if (scores.rows > 0 && (scores.rows - 1) * scores.stride + scores.columns > scores.values.size())
    throw std::invalid_argument("scores: fewer values than rows and columns");
}

}  // namespace stemma
