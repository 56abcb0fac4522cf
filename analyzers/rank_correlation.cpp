// Pearson's correlation of ranks and places.
#include "analyzers/rank_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace stemma {

double rank_correlation_with_place(std::span<const double> values) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  const std::size_t n = values.size();
  if (n < 3 || !std::ranges::all_of(values, [](double x) { return std::isfinite(x); })) return nothing;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(values[i], i); });
  const double middle = static_cast<double>(n - 1) / 2;
  double products = 0, rank_squares = 0, place_squares = 0;
  for (std::size_t from = 0; from < n;) {
    std::size_t to = from;
    while (to < n && values[order[to]] == values[order[from]]) ++to;
    const double rank = static_cast<double>(from + to - 1) / 2 - middle;
    for (; from < to; ++from) {
      const double place = static_cast<double>(order[from]) - middle;
      products += rank * place;
      rank_squares += rank * rank;
      place_squares += place * place;
    }
  }
  return rank_squares > 0 ? products / std::sqrt(rank_squares * place_squares) : nothing;
}

}  // namespace stemma
