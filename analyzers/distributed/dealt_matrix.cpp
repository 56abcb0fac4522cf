// This rank's blocks, one after the other.
#include "analyzers/distributed/dealt_matrix.hpp"

#include <algorithm>
#include <stdexcept>

namespace stemma {
namespace {

constexpr std::uint64_t largest_part = std::uint64_t{3} << 29U;  // 1.5 GiB: PBLAS counts bytes in 32 bits

std::uint64_t local(const DealtAxis& axis, int part) { return part < 0 ? 0 : axis.local_size(part); }

}  // namespace

DealtMatrix::DealtMatrix(const ProcessGrid& grid, std::uint64_t rows, std::uint64_t cols)
    : context_(grid.context()),
      grid_row_(grid.row()),
      grid_col_(grid.col()),
      row_axis_{rows, grid.shape().rows},
      col_axis_{cols, grid.shape().cols},
      local_rows_(local(row_axis_, grid_row_)),
      local_cols_(local(col_axis_, grid_col_)),
      stride_(std::max<std::uint64_t>(local_rows_, 1)) {
  if (stride_ * local_cols_ * sizeof(double) > largest_part)
    throw std::overflow_error(
        "a rank's part of a matrix exceeds 1.5 GiB, which PBLAS cannot count; use a wider team");
  elements_.resize(stride_ * local_cols_);
}

std::array<int, 9> DealtMatrix::descriptor() const {
  constexpr int dense = 1, block = static_cast<int>(DealtAxis::block);
  return {dense, context_, static_cast<int>(row_axis_.size), static_cast<int>(col_axis_.size), block, block,
          0,     0,        static_cast<int>(stride_)};
}

}  // namespace stemma
