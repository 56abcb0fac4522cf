// Which columns does a row of scores care for, while their prices rise?
#include "analyzers/numerics/shortlists.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace stemma {

namespace {

// A list has about `usual` entries: the profit of rank 4 among every 12th column is a bound of 48, give or
// take a half. Rows of few columns are listed whole.
constexpr std::size_t sampled = 12, sampled_rank = 4, usual = sampled * sampled_rank, listed_whole = 128,
                      too_few = 8, too_many = 4 * usual;

}  // namespace

Shortlists::Shortlists(const ScoreView& scores, std::span<const double> price)
    : scores_(scores), price_(price), rows_(scores.rows, Row{{}, infinity}) {}

double Shortlists::likely_bound(std::size_t row) {
  profits_.clear();
  for (std::size_t j = 0; j < scores_.columns; j += sampled) profits_.push_back(profit(row, j));
  const auto rank = profits_.begin() + (sampled_rank - 1);
  std::nth_element(profits_.begin(), rank, profits_.end(), std::greater<>());
  return *rank;
}

void Shortlists::renew(std::size_t row) {
  Row& list = rows_[row];
  list.bound = scores_.columns <= listed_whole ? -infinity : likely_bound(row);
  const std::span<const float> scores = scores_.row(row);
  collect_above(scores, price_, list.bound, columns_);
  if (scores_.columns > listed_whole && (columns_.size() < too_few || columns_.size() > too_many)) {
    profits_.clear();
    for (std::size_t j = 0; j < scores_.columns; ++j) profits_.push_back(profit(row, j));
    const auto rank = profits_.begin() + usual;
    std::nth_element(profits_.begin(), rank, profits_.end(), std::greater<>());
    list.bound = *rank;
    collect_above(scores, price_, list.bound, columns_);
  }
  list.entries.clear();
  for (const std::int32_t column : columns_)
    list.entries.push_back({column, scores[static_cast<std::size_t>(column)]});
}

TwoBest Shortlists::two_best_of(const Row& row) const {
  TwoBest found{-infinity, -infinity, 0};
  for (const Entry& entry : row.entries) {
    const auto column = static_cast<std::size_t>(entry.column);
    const double x = static_cast<double>(entry.score) - price_[column];
    if (x > found.best) {
      found = {x, found.best, column};
    } else if (x > found.second) {
      found.second = x;
    }
  }
  return found;
}

TwoBest Shortlists::two_best(std::size_t row) {
  const Row& list = rows_[row];
  TwoBest found = two_best_of(list);
  if (found.second > list.bound) return found;
  renew(row);
  found = two_best_of(list);
  if (found.second > list.bound) return found;
  return stemma::two_best(scores_.row(row), price_);
}

}  // namespace stemma
