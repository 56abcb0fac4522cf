// By how much do the values of one column differ, and may they?
#pragma once
#include <cstdint>
#include <string>

#include "io/archive/archive_difference.hpp"
#include "io/archive/row_values.hpp"

namespace stemma {

/// Adds up the differences of one column, piece by piece.
class ValueDifference {
 public:
  /// Reals that may round are held against the largest of their piece, or of their row.
  ValueDifference(const layout::Column& column, bool by_piece) : column_(column), by_piece_(by_piece) {}

  void add(const RowValues& here, const RowValues& there);

  Agreement agreement() const { return agreement_; }
  std::uint64_t differing() const { return differing_; }
  std::uint64_t compared() const { return uneven_ ? 0 : compared_; }
  double size() const { return uneven_ ? missing : size_; }
  const std::string& example() const { return example_; }

 private:
  void add_texts(const RowValues& here, const RowValues& there);
  void add_numbers(const RowValues& here, const RowValues& there);
  void found(Agreement agreement, double size, const std::string& here, const std::string& there);

  const layout::Column& column_;
  bool by_piece_;
  Agreement agreement_ = Agreement::equal;
  std::uint64_t differing_ = 0, compared_ = 0;
  bool uneven_ = false;
  double size_ = missing;
  std::string example_;
};

/// Do two texts have the same words, and numbers that differ by no more than 1e-6 or one unit of their last
/// digit behind the point?
bool same_but_for_rounding(const std::string& a, const std::string& b);

}  // namespace stemma
