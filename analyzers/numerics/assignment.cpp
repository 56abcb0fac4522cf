// Which one-to-one matching of rows with columns has the greatest total score?
#include "analyzers/numerics/assignment.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <stdexcept>

#include "analyzers/numerics/score_rows.hpp"
#include "analyzers/numerics/shortlists.hpp"

namespace stemma {

namespace {

// A row bids for its best column as much as makes it indifferent to the second best. Bidding alone would end,
// but only after very many small bids: after so many for each row, paths are cheaper.
constexpr std::size_t bids_per_row = 64;

/// Rows are at most as many as columns.
class Solver {
 public:
  explicit Solver(const ScoreView& scores)
      : scores_(scores),
        rows_(scores.rows),
        columns_(scores.columns),
        price_(columns_),
        column_of_(rows_, unmatched),
        row_of_(columns_, unmatched),
        lists_(scores_, price_) {}

  Assignment solve() {
    reduce_columns();
    if (columns_ > 1) {
      transfer();
      bid();
    }
    gap_.resize(columns_);
    previous_.resize(columns_);
    least_.resize((columns_ + block_columns - 1) / block_columns);
    renewed_.assign(rows_, unmatched);
    for (std::size_t i = 0; i < rows_; ++i)
      if (column_of_[i] == unmatched) augment(static_cast<std::int32_t>(i));
    return result();
  }

 private:
  double score(std::size_t i, std::size_t j) const { return static_cast<double>(scores_.row(i)[j]); }

  void match(std::int32_t row, std::size_t column) {
    column_of_[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(column);
    row_of_[column] = row;
  }

  /// Of a square matrix every column will be matched, so its price may begin at its best score. Elsewhere
  /// columns that stay unmatched must cost nothing.
  void reduce_columns() {
    std::vector<float> best(columns_, -std::numeric_limits<float>::infinity());
    std::vector<std::int32_t> owner(columns_, unmatched);
    bool finite = true;
    for (std::size_t i = 0; i < rows_; ++i)
      finite = raise_columns(scores_.row(i), static_cast<std::int32_t>(i), best, owner) && finite;
    if (!finite) throw std::invalid_argument("assignment: a score is NaN or infinite");
    if (rows_ < columns_) return;
    for (std::size_t j = 0; j < columns_; ++j) {
      price_[j] = static_cast<double>(best[j]);
      if (owner[j] != unmatched && column_of_[static_cast<std::size_t>(owner[j])] == unmatched)
        match(owner[j], j);
    }
  }

  /// Rows that have a column bid for it at once.
  void transfer() {
    for (std::size_t i = 0; i < rows_; ++i) {
      if (column_of_[i] == unmatched) continue;
      const TwoBest found = lists_.two_best(i);
      if (static_cast<std::int32_t>(found.column) == column_of_[i])
        price_[found.column] += found.best - found.second;
    }
  }

  /// Another column that is as good as the best: one that is free, or else the first.
  std::size_t another(std::size_t i, const TwoBest& found) const {
    std::size_t taken = found.column;
    for (std::size_t j = 0; j < columns_; ++j) {
      if (score(i, j) - price_[j] != found.best) continue;
      if (row_of_[j] == unmatched) return j;
      if (taken == found.column) taken = j;
    }
    return taken;
  }

  /// Whoever is outbid bids next. A bid that raises nothing displaces unmatched: such rows wait for a path.
  void bid() {
    std::size_t left = bids_per_row * rows_;
    for (std::size_t i = 0; i < rows_; ++i) {
      auto row = column_of_[i] == unmatched ? static_cast<std::int32_t>(i) : unmatched;
      for (; row != unmatched && left > 0; --left) {
        const TwoBest found = lists_.two_best(static_cast<std::size_t>(row));
        std::size_t j = found.column;
        const double raised = price_[j] + (found.best - found.second);
        if (raised > price_[j]) {
          price_[j] = raised;
        } else if (row_of_[j] != unmatched) {
          j = another(static_cast<std::size_t>(row), found);
          if (row_of_[j] != unmatched) break;
        }
        const std::int32_t outbid = row_of_[j];
        if (outbid != unmatched) column_of_[static_cast<std::size_t>(outbid)] = unmatched;
        match(row, j);
        row = outbid;
      }
    }
  }

  /// A row is at distance `base` plus what its own column brings it: goes on to the columns of its list, and
  /// leaves the others for when they could be near enough to matter.
  void reach(std::int32_t row, double base) {
    const auto i = static_cast<std::size_t>(row);
    for (const Shortlists::Entry& entry : lists_.entries(i)) {
      const auto j = static_cast<std::size_t>(entry.column);
      const double gap = base - static_cast<double>(entry.score);
      if (gap < gap_[j]) {
        gap_[j] = gap;
        previous_[j] = row;
        double& least = least_[j / block_columns];
        least = std::min(least, gap + price_[j]);
      }
    }
    waiting_.push({base - lists_.bound(i), base, row});
  }

  /// The distance of the nearest column, for certain: goes through every row that has an unlisted column
  /// which may be as near; first with a new list, for prices have risen since the old one, then column by
  /// column.
  double settle(std::int32_t start, const Frontier& frontier) {
    double least = least_of(least_);
    while (!waiting_.empty() && waiting_.top().distance <= least) {
      const Waiting next = waiting_.top();
      waiting_.pop();
      const auto i = static_cast<std::size_t>(next.row);
      if (renewed_[i] != start) {
        renewed_[i] = start;
        lists_.renew(i);
        reach(next.row, next.base);
      } else {
        relax(scores_.row(i), next.base, next.row, frontier);
      }
      least = least_of(least_);
    }
    return least;
  }

  /// The first free column at this distance, or else the first one.
  std::size_t nearest(double least) const {
    std::size_t taken = columns_;
    for (std::size_t block = 0; block < least_.size(); ++block) {
      if (least_[block] != least) continue;
      const std::size_t end = std::min(columns_, (block + 1) * block_columns);
      for (std::size_t j = block * block_columns; j < end; ++j) {
        if (gap_[j] == -infinity || gap_[j] + price_[j] != least) continue;
        if (row_of_[j] == unmatched) return j;
        if (taken == columns_) taken = j;
      }
    }
    return taken;
  }

  /// Dijkstra's search from a row to the nearest free column, over the edges' reduced costs: what a row loses
  /// by taking another column. Then everyone on the way moves on by one column.
  void augment(std::int32_t start) {
    std::fill(gap_.begin(), gap_.end(), infinity);
    std::fill(least_.begin(), least_.end(), infinity);
    waiting_ = {};
    visited_.clear();
    const Frontier frontier{gap_, previous_, price_, least_};
    reach(start, 0);
    double least = settle(start, frontier);
    std::size_t column = nearest(least);
    while (row_of_[column] != unmatched) {
      visited_.push_back({column, least});
      visit(column, frontier);
      const std::int32_t row = row_of_[column];
      reach(row, least + (score(static_cast<std::size_t>(row), column) - price_[column]));
      least = settle(start, frontier);
      column = nearest(least);
    }
    for (const Visited& v : visited_) price_[v.column] += std::max(0.0, least - v.distance);
    for (std::int32_t row = unmatched; row != start;) {
      row = static_cast<std::int32_t>(previous_[column]);
      const std::int32_t before = column_of_[static_cast<std::size_t>(row)];
      match(row, column);
      column = static_cast<std::size_t>(before);
    }
  }

  Assignment result() {
    Assignment out;
    out.row_price.resize(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      const auto j = static_cast<std::size_t>(column_of_[i]);
      out.row_price[i] = score(i, j) - price_[j];
      out.total += score(i, j);
    }
    out.column_of_row = std::move(column_of_);
    out.column_price = std::move(price_);
    return out;
  }

  struct Visited {
    std::size_t column;
    double distance;
  };
  struct Waiting {
    double distance, base;
    std::int32_t row;
    bool operator<(const Waiting& other) const {
      return distance > other.distance || (distance == other.distance && row > other.row);
    }
  };

  ScoreView scores_;
  std::size_t rows_, columns_;
  std::vector<double> price_;
  std::vector<std::int32_t> column_of_, row_of_, renewed_;
  Shortlists lists_;
  std::vector<double> gap_, least_;
  std::vector<std::int64_t> previous_;
  std::vector<Visited> visited_;
  std::priority_queue<Waiting> waiting_;
};

}  // namespace

Assignment best_assignment(const ScoreView& scores) {
  check_view(scores);
  if (scores.rows <= scores.columns) return Solver(scores).solve();
  std::vector<float> turned(scores.rows * scores.columns);
  constexpr std::size_t together = 16;  // rows, so that what is written shares cache lines
  for (std::size_t begin = 0; begin < scores.rows; begin += together)
    for (std::size_t j = 0; j < scores.columns; ++j)
      for (std::size_t i = begin; i < std::min(begin + together, scores.rows); ++i)
        turned[j * scores.rows + i] = scores.values[i * scores.stride + j];
  Assignment found = Solver({turned, scores.columns, scores.rows, scores.rows}).solve();
  std::swap(found.row_price, found.column_price);
  std::vector<std::int32_t> column_of_row(scores.rows, unmatched);
  for (std::size_t j = 0; j < scores.columns; ++j)
    column_of_row[static_cast<std::size_t>(found.column_of_row[j])] = static_cast<std::int32_t>(j);
  found.column_of_row = std::move(column_of_row);
  return found;
}

}  // namespace stemma
