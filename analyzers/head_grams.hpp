// How large are the circuits of attention heads, without forming them?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace stemma {

/// One small symmetric matrix per head, lower triangles, column-major, summed up block by block.
class HeadGrams {
 public:
  HeadGrams(std::uint64_t heads, std::uint64_t width);

  /// W^(h) W^(h)T of a reader whose rows [first_row, first_row + rows) are head h = first_row / width; rows
  /// must be one whole head. `values` row-major, rows x cols.
  void add_rows(std::uint64_t first_row, std::span<const double> values, std::uint64_t cols);

  /// W^(h)T W^(h) of a writer whose column block h belongs to head h; any number of whole rows.
  void add_columns(std::uint64_t rows, std::span<const double> values);

  /// After all rows of a writer: remove the column means, W -> (I - 11^T/d) W with d = `rows`.
  void centre_columns(std::uint64_t rows);

  /// Sum of the traces: the squared Frobenius norm of the whole matrix.
  double trace() const;

  std::uint64_t heads() const { return heads_; }
  std::uint64_t width() const { return width_; }
  /// sum over all entries of the elementwise product of Gram `head` and Gram `other_head` of `other`.
  double product(std::uint64_t head, const HeadGrams& other, std::uint64_t other_head) const;

 private:
  std::span<const double> gram(std::uint64_t head) const;

  std::uint64_t heads_;
  std::uint64_t width_;
  std::vector<double> grams_;
  std::vector<double> column_sums_;
};

/// sum_h |A_h B_j(h)|_F^2 = sum_h sum( (A_h^T A_h) o (B_j B_j^T) ), j(h) = h / (heads of A / heads of B):
/// the squared norm of all QK or OV circuits of a layer. A has a multiple of the heads of B, both one width.
double circuit_square_norm(const HeadGrams& many, const HeadGrams& few);

}  // namespace stemma
