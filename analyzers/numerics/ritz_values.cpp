// How large is a matrix in a few given directions?
#include "analyzers/numerics/ritz_values.hpp"

#include <algorithm>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"

namespace stemma {

namespace {
constexpr std::uint64_t ritz_block_rows = 256;
}

void add_image(const MatrixForm& form, std::uint64_t first_row, std::span<const std::byte> rows,
               std::span<const double> v, std::uint64_t count, std::span<double> image) {
  const std::uint64_t n = form.cols, longest = form.longest(), k = form.k(), row_bytes = form.row_bytes();
  std::vector<double> block(std::min(ritz_block_rows, rows.size() / row_bytes) * n);
  for (std::uint64_t row = first_row; !rows.empty();) {
    const std::uint64_t some = std::min(ritz_block_rows, rows.size() / row_bytes);
    form.widen_scaled(rows.first(some * row_bytes), std::span(block).first(some * n));
    // Row-major some x n is column-major n x some.
    if (form.wide())
      dgemm(Transpose::no, Transpose::no, n, count, some, 1, block.data(), n, v.data() + row, k, 1,
            image.data(), longest);
    else
      dgemm(Transpose::yes, Transpose::no, some, count, n, 1, block.data(), n, v.data(), k, 1,
            image.data() + row, longest);
    rows = rows.subspan(some * row_bytes);
    row += some;
  }
}

std::vector<double> ritz_values(const MatrixForm& form, std::span<const std::byte> matrix,
                                std::span<const double> v, std::uint64_t count) {
  std::vector<double> image(form.longest() * count, 0.0);
  add_image(form, 0, matrix, v, count, image);
  return dense_singular_values(image, form.longest(), count);
}

}  // namespace stemma
