// What do the original elements say that a correct Gram matrix and its singular values must agree with?
#include "analyzers/numerics/matrix_witness.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/philox.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t block_rows = 256;
constexpr std::size_t lanes = 4;  // independent sums that fill the registers; part of the order of summation

/// Sums of one row: with the probes, of squares, of magnitudes.
struct RowSums {
  std::array<double, probes> dot{};
  double square = 0, absolute = 0;
};

struct Lanes {
  double of[lanes] = {};
  double sum() const { return (of[0] + of[1]) + (of[2] + of[3]); }
};

RowSums sums_of(std::span<const double> row, const double* x0, const double* x1) {
  Lanes dot0, dot1, square, absolute;
  std::size_t j = 0;
  for (; j + lanes <= row.size(); j += lanes)
    for (std::size_t l = 0; l < lanes; ++l) {
      const double a = row[j + l];
      dot0.of[l] += a * x0[j + l];
      dot1.of[l] += a * x1[j + l];
      square.of[l] += a * a;
      absolute.of[l] += std::abs(a);
    }
  for (std::size_t l = 0; j < row.size(); ++j, ++l) {
    dot0.of[l] += row[j] * x0[j];
    dot1.of[l] += row[j] * x1[j];
    square.of[l] += row[j] * row[j];
    absolute.of[l] += std::abs(row[j]);
  }
  return {{dot0.sum(), dot1.sum()}, square.sum(), absolute.sum()};
}

/// y += a x over one row, for both probes, and the sums by column.
void spread(std::span<const double> row, const std::array<double, probes>& a, Probes& y, double* square,
            double* absolute) {
  double* y0 = y[0].data();
  double* y1 = y[1].data();
  for (std::size_t j = 0; j < row.size(); ++j) {
    const double value = row[j];
    y0[j] += a[0] * value;
    y1[j] += a[1] * value;
    square[j] += value * value;
    absolute[j] += std::abs(value);
  }
}

void move_into(std::vector<double>& sum, std::vector<double>& block) {
  for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += block[j];
  std::fill(block.begin(), block.end(), 0.0);
}

double largest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

}  // namespace

Probes probe_vectors(const MatrixForm& form) {
  const auto word = [](std::uint64_t x) { return static_cast<std::uint32_t>(x ^ (x >> 32U)); };
  Probes out;
  for (std::uint32_t p = 0; p < probes; ++p) {
    out[p].resize(form.k());
    for (std::uint64_t i = 0; i < form.k(); i += 128) {
      const auto bits =
          philox({static_cast<std::uint32_t>(i / 128), p, 0, 0}, {word(form.rows), word(form.cols)});
      for (std::uint64_t j = i; j < std::min(i + 128, form.k()); ++j)
        out[p][j] = (bits[(j - i) / 32] >> (j % 32) & 1U) != 0 ? 1 : -1;
    }
  }
  return out;
}

MatrixWitness::MatrixWitness(const MatrixForm& form)
    : form_(form),
      x_(probe_vectors(form)),
      values_(form.cols),
      square_(form.cols),
      absolute_(form.cols),
      square_block_(form.cols),
      absolute_block_(form.cols) {
  for (std::size_t p = 0; p < probes; ++p) {
    block_[p].resize(form.cols);
    sum_[p].resize(form.cols);
  }
}

void MatrixWitness::take_from(std::uint64_t first, std::span<const std::byte> rows) {
  for (next_row_ = first; !rows.empty(); rows = rows.subspan(form_.row_bytes())) {
    form_.widen_scaled(rows.first(form_.row_bytes()), values_);
    take_row(next_row_++, values_);
    if (++in_block_ == block_rows) fold();
  }
}

void MatrixWitness::take_row(std::uint64_t row, std::span<const double> elements) {
  // The probe of a wide matrix has one element per row; its dot products come in the second pass.
  const bool wide = form_.wide();
  const double* x0 = wide ? elements.data() : x_[0].data();
  const double* x1 = wide ? elements.data() : x_[1].data();
  const RowSums sums = sums_of(elements, x0, x1);
  const auto a = wide ? std::array{x_[0][row], x_[1][row]} : sums.dot;
  spread(elements, a, block_, square_block_.data(), absolute_block_.data());
  facts_.finite = facts_.finite && std::isfinite(sums.absolute);
  row_square_ = std::max(row_square_, sums.square);
  row_absolute_ = std::max(row_absolute_, sums.absolute);
  total_.add(sums.square);
}

void MatrixWitness::fold() {
  for (std::size_t p = 0; p < probes; ++p) move_into(sum_[p], block_[p]);
  move_into(square_, square_block_);
  move_into(absolute_, absolute_block_);
  in_block_ = 0;
}

void MatrixWitness::take_again(std::uint64_t first, std::span<const std::byte> rows) {
  if (facts_.images[0].empty()) {
    fold();
    for (auto& image : facts_.images) image.assign(form_.rows, 0.0);
  }
  for (std::uint64_t row = first; !rows.empty(); rows = rows.subspan(form_.row_bytes()), ++row) {
    form_.widen_scaled(rows.first(form_.row_bytes()), values_);
    const RowSums sums = sums_of(values_, sum_[0].data(), sum_[1].data());
    for (std::size_t p = 0; p < probes; ++p) facts_.images[p][row] = sums.dot[p];
  }
}

void MatrixWitness::join(const Join& sum, const Join& largest) {
  fold();
  for (auto* part : {sum_.data(), sum_.data() + 1, &square_, &absolute_}) sum(*part);
  double total = total_.value();
  sum({&total, 1});
  total_ = {};
  total_.add(total);
  std::array<double, 3> most = {row_square_, row_absolute_, facts_.finite ? 0.0 : 1.0};
  largest(most);
  row_square_ = most[0];
  row_absolute_ = most[1];
  facts_.finite = most[2] == 0;
}

void MatrixWitness::join_again(const Join& sum) {
  for (auto& image : facts_.images) {
    image.resize(form_.rows);  // a witness without rows
    sum(image);
  }
}

MatrixFacts MatrixWitness::finish() {
  fold();
  if (!form_.wide()) facts_.images = std::move(sum_);
  facts_.frobenius_sq = total_.value();
  facts_.longest_row_or_column = std::sqrt(std::max(row_square_, largest(square_)));
  facts_.norm_product = std::sqrt(largest(absolute_)) * std::sqrt(row_absolute_);
  return std::move(facts_);
}

}  // namespace stemma
