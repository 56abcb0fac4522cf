// How large are the circuits of attention heads, without forming them?
#include "analyzers/head_grams.hpp"

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/exact_sum.hpp"

namespace stemma {

HeadGrams::HeadGrams(std::uint64_t heads, std::uint64_t width)
    : heads_(heads), width_(width), grams_(heads * width * width), column_sums_(heads * width) {}

void HeadGrams::add_rows(std::uint64_t first_row, std::span<const double> values, std::uint64_t cols) {
  double* gram = grams_.data() + first_row / width_ * width_ * width_;
  // Row-major width x cols is column-major cols x width.
  dsyrk(Transpose::yes, width_, cols, 1, values.data(), cols, 0, gram, width_);
}

void HeadGrams::add_columns(std::uint64_t rows, std::span<const double> values) {
  const std::uint64_t cols = heads_ * width_;
  for (std::uint64_t h = 0; h < heads_; ++h) {
    dsyrk(Transpose::no, width_, rows, 1, values.data() + h * width_, cols, 1,
          grams_.data() + h * width_ * width_, width_);
  }
  for (std::uint64_t r = 0; r < rows; ++r) {
    for (std::uint64_t c = 0; c < cols; ++c) column_sums_[c] += values[r * cols + c];
  }
}

void HeadGrams::centre_columns(std::uint64_t rows) {
  for (std::uint64_t h = 0; h < heads_; ++h) {
    const double* sums = column_sums_.data() + h * width_;
    double* gram = grams_.data() + h * width_ * width_;
    for (std::uint64_t c = 0; c < width_; ++c) {
      for (std::uint64_t r = c; r < width_; ++r)
        gram[c * width_ + r] -= sums[r] * sums[c] / static_cast<double>(rows);
    }
  }
}

std::span<const double> HeadGrams::gram(std::uint64_t head) const {
  return std::span(grams_).subspan(head * width_ * width_, width_ * width_);
}

double HeadGrams::trace() const {
  ExactSum sum;
  for (std::uint64_t h = 0; h < heads_; ++h) {
    for (std::uint64_t i = 0; i < width_; ++i) sum.add(gram(h)[i * width_ + i]);
  }
  return sum.value();
}

double HeadGrams::product(std::uint64_t head, const HeadGrams& other, std::uint64_t other_head) const {
  const std::span<const double> a = gram(head);
  const std::span<const double> b = other.gram(other_head);
  ExactSum sum;
  for (std::uint64_t c = 0; c < width_; ++c) {
    sum.add(a[c * width_ + c] * b[c * width_ + c]);
    for (std::uint64_t r = c + 1; r < width_; ++r) sum.add(2 * a[c * width_ + r] * b[c * width_ + r]);
  }
  return sum.value();
}

double circuit_square_norm(const HeadGrams& many, const HeadGrams& few) {
  ExactSum sum;
  const std::uint64_t group = many.heads() / few.heads();
  for (std::uint64_t h = 0; h < many.heads(); ++h) sum.add(many.product(h, few, h / group));
  return sum.value();
}

}  // namespace stemma
