// In which directions do anchor tokens enter a layer?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stemma {

/// Rows of an embedding or of a head, one for each anchor, brought to length 1, which is what the first norm
/// does to a token.
class TokenRows {
 public:
  /// `rows` row-major, `width` numbers each, times `gain` (as long as a row, or empty), without their means
  /// where they are centred. Says why not where the rows do not fit, else "".
  std::string take(std::vector<double> rows, std::uint64_t width, std::span<const double> gain, bool centred);

  /// What `rows` rows of a reader, row-major and as wide as a token's, answer: count() numbers for each.
  void answer(std::span<const double> reader, std::uint64_t rows, std::span<double> answers) const;

  std::size_t count() const { return empty_.size(); }
  /// Row-major; rows that say nothing are 0.
  const std::vector<double>& values() const { return rows_; }
  /// Rows that were never trained or are no numbers: shorter than a thousandth of the median.
  const std::vector<bool>& empty() const { return empty_; }

 private:
  std::vector<double> rows_;
  std::vector<bool> empty_;
};

}  // namespace stemma
