// A square matrix of doubles, dealt out over the grid of a team.
#pragma once
#include <array>
#include <cstdint>

#include "analyzers/distributed/dealt_axis.hpp"
#include "analyzers/distributed/team.hpp"
#include "analyzers/numerics/large_array.hpp"

namespace stemma {

/// This rank's part of a matrix, column-major as ScaLAPACK wants it, blocks of 64 x 64, origin at the grid's
/// first rank. Zero at first. Ranks without a place in the grid hold nothing.
class DealtMatrix {
 public:
  /// Throws std::bad_alloc, and std::overflow_error when a part leaves the 32-bit byte counts of PBLAS.
  DealtMatrix(const ProcessGrid& grid, std::uint64_t rows, std::uint64_t cols);

  const DealtAxis& row_axis() const { return row_axis_; }
  const DealtAxis& col_axis() const { return col_axis_; }
  std::uint64_t local_rows() const { return local_rows_; }
  std::uint64_t local_cols() const { return local_cols_; }
  /// Distance between columns; at least 1.
  std::uint64_t stride() const { return stride_; }
  double* data() { return elements_.data(); }
  const double* data() const { return elements_.data(); }
  double& at(std::uint64_t local_row, std::uint64_t local_col) {
    return elements_[local_col * stride_ + local_row];
  }
  double at(std::uint64_t local_row, std::uint64_t local_col) const {
    return elements_[local_col * stride_ + local_row];
  }
  std::uint64_t global_row(std::uint64_t local) const { return row_axis_.global_of(grid_row_, local); }
  std::uint64_t global_col(std::uint64_t local) const { return col_axis_.global_of(grid_col_, local); }

  /// What ScaLAPACK calls a descriptor: nine integers.
  std::array<int, 9> descriptor() const;

 private:
  int context_, grid_row_, grid_col_;
  DealtAxis row_axis_, col_axis_;
  std::uint64_t local_rows_, local_cols_, stride_;
  LargeArray elements_;
};

}  // namespace stemma
