// What is the Gram matrix of a matrix whose rows go by, in double precision?
#include "analyzers/numerics/gram.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/blas.hpp"
#include "io/model/widen.hpp"

namespace stemma {

void MatrixForm::widen_scaled(std::span<const std::byte> bytes, std::span<double> out) const {
  widen(dtype, bytes, out);
  if (exponent == 0) return;
  for (double& x : out) x = std::scalbn(x, -exponent);
}

std::uint64_t panel_height(const MatrixForm& form) {
  const std::uint64_t k = std::max<std::uint64_t>(form.k(), 1);
  const std::uint64_t height = std::clamp<std::uint64_t>((std::uint64_t{1} << 20U) / k, 256, 4096) / 64 * 64;
  return std::min(height, std::max<std::uint64_t>(form.longest(), 1));
}

TallGram::TallGram(const MatrixForm& form)
    : form_(form), panel_(panel_height(form) * form.cols), gram_(form.cols * form.cols, 0.0) {}

void TallGram::take(std::span<const std::byte> rows) {
  const std::uint64_t height = panel_height(form_), row_bytes = form_.row_bytes();
  while (row_bytes > 0 && !rows.empty()) {
    const std::uint64_t some = std::min(rows.size() / row_bytes, height - filled_);
    form_.widen_scaled(rows.first(some * row_bytes),
                       std::span(panel_).subspan(filled_ * form_.cols, some * form_.cols));
    filled_ += some;
    rows = rows.subspan(some * row_bytes);
    if (filled_ == height) update();
  }
}

void TallGram::update() {
  const std::uint64_t n = form_.cols;
  dsyrk(Transpose::no, n, filled_, 1, panel_.data(), n, 1, gram_.data(), n);
  filled_ = 0;
}

LargeArray TallGram::finish() {
  if (filled_ > 0) update();
  panel_ = {};
  return std::move(gram_);
}

LargeArray gram_of(const MatrixForm& form, std::span<const std::byte> matrix) {
  if (!form.wide()) {
    TallGram gram(form);
    gram.take(matrix);
    return gram.finish();
  }
  const std::uint64_t m = form.rows, width = panel_height(form), size = form.element_bytes();
  LargeArray gram(m * m, 0.0);
  LargeArray panel(width * m);  // column-major width x m: each row of the matrix is one column
  for (std::uint64_t first = 0; first < form.cols; first += width) {
    const std::uint64_t some = std::min(width, form.cols - first);
    for (std::uint64_t row = 0; row < m; ++row)
      form.widen_scaled(matrix.subspan(row * form.row_bytes() + first * size, some * size),
                        std::span(panel).subspan(row * some, some));
    dsyrk(Transpose::yes, m, some, 1, panel.data(), some, 1, gram.data(), m);
  }
  return gram;
}

}  // namespace stemma
