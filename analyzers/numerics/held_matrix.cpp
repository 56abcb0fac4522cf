// How is a matrix kept in its stored type and still multiplied in double precision?
#include "analyzers/numerics/held_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/block_moments.hpp"
#include "analyzers/numerics/largest_singular_value.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {
constexpr std::uint64_t block_rows = 64;  // 2 MB of doubles at 4,096 columns: stays in the second-level cache
}

HeldMatrix::HeldMatrix(Dtype dtype, std::uint64_t rows, std::uint64_t cols)
    : dtype_(dtype), rows_(rows), cols_(cols), bytes_(bytes(dtype, rows, cols)) {}

std::uint64_t HeldMatrix::bytes(Dtype dtype, std::uint64_t rows, std::uint64_t cols) {
  return rows * cols * (bits_of(dtype) / 8);
}

void HeldMatrix::take(const Panel& panel) {
  const std::uint64_t offset = bytes(dtype_, panel.first_row, cols_);
  if (offset > bytes_.size() || panel.bytes.size() > bytes_.size() - offset) {
    throw std::invalid_argument("panel lies outside the matrix");
  }
  std::copy(panel.bytes.begin(), panel.bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
}

template <typename Use>
void HeldMatrix::each_block(Use use) const {
  std::vector<double> values(std::min(block_rows, rows_) * cols_);
  for (std::uint64_t row = 0; row < rows_; row += block_rows) {
    const std::uint64_t rows = std::min(block_rows, rows_ - row);
    const std::span<double> block = std::span(values).first(rows * cols_);
    widen(dtype_, std::span(bytes_).subspan(bytes(dtype_, row, cols_), bytes(dtype_, rows, cols_)), block);
    use(rows, block);
  }
}

void HeldMatrix::normal_product(std::span<const double> x, std::span<double> y) const {
  std::fill(y.begin(), y.end(), 0.0);
  std::vector<double> u(block_rows);
  each_block([&](std::uint64_t rows, std::span<const double> block) {
    // Row-major rows x cols is column-major cols x rows.
    dgemv(Transpose::yes, cols_, rows, 1, block.data(), cols_, x.data(), 0, u.data());
    dgemv(Transpose::no, cols_, rows, 1, block.data(), cols_, u.data(), 1, y.data());
  });
}

double HeldMatrix::std_unbiased() const {
  BlockMoments moments;
  each_block([&](std::uint64_t, std::span<const double> block) { moments.add(block); });
  const CentralSums sums = moments.finish();
  if (sums.n < 2) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(sums.m2 / static_cast<double>(sums.n - 1));
}

double HeldMatrix::edge_ratio(double enough) const {
  const double deviation = std_unbiased();
  const double edge =
      deviation * (std::sqrt(static_cast<double>(rows_)) + std::sqrt(static_cast<double>(cols_)));
  if (!(edge > 0)) return std::numeric_limits<double>::quiet_NaN();
  const auto product = [this](std::span<const double> x, std::span<double> y) { normal_product(x, y); };
  return largest_singular_value_bound(product, cols_, enough * edge) / edge;
}

}  // namespace stemma
