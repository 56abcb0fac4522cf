// How are neighbours found without looking at every pair every time?
#include "analyzers/trees/neighbour_joining.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "analyzers/trees/branches.hpp"

namespace stemma {
namespace {

void check(const Distances& distances) {
  for (std::size_t i = 0; i < distances.n; ++i)
    for (std::size_t j = i + 1; j < distances.n; ++j) {
      const double distance = distances(i, j);
      if (!std::isfinite(distance) || distance < 0)
        throw std::invalid_argument(fmt::format(
            "the distance of {} and {} is {}: neighbour joining needs all distances, at least 0 and finite",
            i, j, distance));
    }
}

/// Groups stand in slots 0..m-1 of the condensed distances; of each row only its columns behind it are asked.
class Joining {
 public:
  explicit Joining(const Distances& distances)
      : distance_(distances), m_(distances.n), sum_(m_), least_(m_, -INFINITY), vertex_(m_), first_(m_) {
    for (std::uint32_t i = 0; i < m_; ++i) vertex_[i] = first_[i] = tree_.add(i);
  }

  FamilyTree tree() {
    add_up();
    while (m_ > 3) {
      Pair pair = nearest();
      // Of four groups two pairs always score the same, and rounding must not choose: the one with slot 0,
      // which holds thing 0 from the beginning to the end.
      if (m_ == 4 && pair.i != 0) pair = {pair.score, 0, 6 - pair.i - pair.j};
      join(pair.i, pair.j);
      // Sums are carried along; adding up anew now and then keeps rounding from growing with n.
      if (std::has_single_bit(m_)) add_up();
    }
    return hung_from(tree_, last());
  }

 private:
  struct Pair {
    double score = INFINITY;
    std::size_t i = 0, j = 0;
  };

  void add_up() {
    std::fill_n(sum_.begin(), m_, 0.0);
    for (std::size_t i = 0; i < m_; ++i)
      for (std::size_t j = i + 1; j < m_; ++j) {
        sum_[i] += distance_(i, j);
        sum_[j] += distance_(i, j);
      }
  }

  std::pair<std::uint32_t, std::uint32_t> things(const Pair& pair) const {
    return std::minmax({first_[pair.i], first_[pair.j]});
  }

  Pair nearest() {
    const double scale = static_cast<double>(m_ - 2);
    const double largest = *std::max_element(sum_.begin(), sum_.begin() + static_cast<std::ptrdiff_t>(m_));
    // Below every score of the row, also as rounded: the same operations on numbers that are no larger.
    const auto bound = [&](std::size_t i) { return (scale * least_[i] - sum_[i]) - largest; };
    std::size_t begin = 0;
    for (std::size_t i = 1; i + 1 < m_; ++i)
      if (bound(i) < bound(begin)) begin = i;
    Pair best;
    search_row(begin, scale, best);
    for (std::size_t i = 0; i + 1 < m_; ++i)
      if (i != begin && bound(i) <= best.score) search_row(i, scale, best);
    return best;
  }

  void search_row(std::size_t i, double scale, Pair& best) {
    const double* const row =
        &distance_.value[Distances::place(distance_.n, i, i + 1)];  // of columns i + 1, i + 2, ...
    const double* const sums = &sum_[i + 1];
    const std::size_t columns = m_ - i - 1;
    const double own = sum_[i];
    double lowest = INFINITY, least = INFINITY;
    for (std::size_t j = 0; j < columns; ++j) {
      const double score = (scale * row[j] - own) - sums[j];
      lowest = score < lowest ? score : lowest;
      least = row[j] < least ? row[j] : least;
    }
    least_[i] = least;
    if (lowest > best.score) return;
    for (std::size_t j = 0; j < columns; ++j) {
      if ((scale * row[j] - own) - sums[j] != lowest) continue;
      const Pair pair = {lowest, i, i + 1 + j};
      if (lowest < best.score || things(pair) < things(best)) best = pair;
    }
  }

  void connect(std::uint32_t centre, std::size_t slot, double length) {
    tree_.branches.push_back({.a = centre, .b = vertex_[slot], .length = std::max(length, 0.0)});
  }

  /// The union takes slot i, the last group takes slot j.
  void join(std::size_t i, std::size_t j) {
    const double apart = distance_(i, j);
    const double free_length = apart / 2 + (sum_[i] - sum_[j]) / (2 * static_cast<double>(m_ - 2));
    const double length = std::clamp(free_length, 0.0, std::max(apart, 0.0));
    const std::uint32_t centre = tree_.add();
    connect(centre, i, length);
    connect(centre, j, apart - length);
    vertex_[i] = centre;
    first_[i] = std::min(first_[i], first_[j]);

    sum_[i] = 0;
    least_[i] = INFINITY;
    for (std::size_t k = 0; k < m_; ++k) {
      if (k == i || k == j) continue;
      const double from_i = distance_(i, k), from_j = distance_(j, k);
      const double joined = (from_i + from_j - apart) / 2;
      distance_.at(i, k) = joined;
      sum_[k] += joined - from_i - from_j;
      sum_[i] += joined;
      double& least = least_[std::min(i, k)];  // losing a column leaves a lower bound a lower bound
      least = std::min(least, joined);
    }
    const std::size_t moved = --m_;
    if (moved == j) return;
    least_[j] = INFINITY;
    for (std::size_t k = 0; k < m_; ++k) {
      if (k == j) continue;
      const double distance = distance_(k, moved);
      distance_.at(k, j) = distance;
      if (k > j) least_[j] = std::min(least_[j], distance);
    }
    sum_[j] = sum_[moved];
    vertex_[j] = vertex_[moved];
    first_[j] = first_[moved];
  }

  /// Joins what is left around one vertex, and returns it.
  std::uint32_t last() {
    if (m_ == 1) return vertex_[0];
    const std::uint32_t centre = tree_.add();
    if (m_ == 2) {
      for (const std::size_t slot : {0, 1}) connect(centre, slot, distance_(0, 1) / 2);
      return centre;
    }
    const double ab = distance_(0, 1), ac = distance_(0, 2), bc = distance_(1, 2);
    const std::array<double, 3> free_length = {(ab + ac - bc) / 2, (ab + bc - ac) / 2, (ac + bc - ab) / 2};
    for (std::size_t slot = 0; slot < 3; ++slot) {
      double length = free_length[slot];
      for (std::size_t sibling = 0; sibling < 3; ++sibling)
        if (sibling != slot) length += std::min(free_length[sibling], 0.0);
      connect(centre, slot, length);
    }
    return centre;
  }

  Distances distance_;
  std::size_t m_;                              ///< groups left
  std::vector<double> sum_;                    ///< of the distances to all other groups
  std::vector<double> least_;                  ///< no distance behind the diagonal of the row is smaller
  std::vector<std::uint32_t> vertex_, first_;  ///< of the tree; smallest thing in the group
  Branches tree_;
};

}  // namespace

FamilyTree neighbour_joining(const Distances& distances) {
  check(distances);
  if (distances.n == 0) return {};
  return Joining(distances).tree();
}

}  // namespace stemma
