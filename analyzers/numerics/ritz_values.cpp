// How large is a matrix in a few given directions?
#include "analyzers/numerics/ritz_values.hpp"

#include <algorithm>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"

namespace stemma {

namespace {
constexpr std::uint64_t block_rows = 256;
}

std::vector<double> ritz_values(const MatrixForm& form, std::span<const std::byte> matrix,
                                std::span<const double> v, std::uint64_t count) {
  const std::uint64_t n = form.cols, longest = form.longest(), k = form.k();
  std::vector<double> image(longest * count, 0.0);
  std::vector<double> block(std::min(block_rows, form.rows) * n);
  for (std::uint64_t row = 0; row < form.rows; row += block_rows) {
    const std::uint64_t rows = std::min(block_rows, form.rows - row);
    form.widen_scaled(matrix.subspan(row * form.row_bytes(), rows * form.row_bytes()),
                      std::span(block).first(rows * n));
    // Row-major rows x n is column-major n x rows.
    if (form.wide())
      dgemm(Transpose::no, Transpose::no, n, count, rows, 1, block.data(), n, v.data() + row, k, 1,
            image.data(), longest);
    else
      dgemm(Transpose::yes, Transpose::no, rows, count, n, 1, block.data(), n, v.data(), k, 0,
            image.data() + row, longest);
  }
  return dense_singular_values(image, longest, count);
}

}  // namespace stemma
