// What do the original elements say that a correct Gram matrix and its singular values must agree with?
#include "analyzers/numerics/matrix_witness.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/philox.hpp"
#include "analyzers/numerics/witness_sums.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t witness_block_rows = 256;

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
      values_(witness_rows * form.cols),
      square_(form.cols),
      absolute_(form.cols),
      square_block_(form.cols),
      absolute_block_(form.cols) {
  for (std::size_t p = 0; p < probes; ++p) {
    block_[p].resize(form.cols);
    sum_[p].resize(form.cols);
  }
}

std::span<const double> MatrixWitness::widened(std::span<const std::byte> rows) {
  const std::span<double> values = std::span(values_).first(rows.size() / form_.element_bytes());
  form_.widen_scaled(rows, values);
  return values;
}

void MatrixWitness::take_from(std::uint64_t first, std::span<const std::byte> rows) {
  for (next_row_ = first; !rows.empty();) {
    const std::uint64_t all = rows.size() / form_.row_bytes();
    const std::uint64_t count = std::min({all, std::uint64_t{witness_rows}, witness_block_rows - in_block_});
    take_rows(widened(rows.first(count * form_.row_bytes())), count);
    rows = rows.subspan(count * form_.row_bytes());
    if (in_block_ == witness_block_rows) fold();
  }
}

void MatrixWitness::take_rows(std::span<const double> elements, std::uint64_t count) {
  // The probe of a wide matrix has one element per row; its dot products come in the second pass.
  std::array<RowNumbers, probes> a{};
  if (form_.wide()) {
    for (std::size_t p = 0; p < probes; ++p)
      std::copy_n(x_[p].begin() + static_cast<std::ptrdiff_t>(next_row_), count, a[p].begin());
  } else {
    a = row_products(elements, count, x_[0], x_[1]);
  }
  const RowSums sums = add_rows(elements, count, a, {block_[0], block_[1], square_block_, absolute_block_});
  for (std::size_t r = 0; r < count; ++r) {
    facts_.finite = facts_.finite && std::isfinite(sums.absolute[r]);
    row_square_ = std::max(row_square_, sums.square[r]);
    row_absolute_ = std::max(row_absolute_, sums.absolute[r]);
    total_.add(sums.square[r]);
  }
  next_row_ += count;
  in_block_ += count;
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
  for (std::uint64_t row = first; !rows.empty();) {
    const std::uint64_t count = std::min<std::uint64_t>(rows.size() / form_.row_bytes(), witness_rows);
    const auto products =
        row_products(widened(rows.first(count * form_.row_bytes())), count, sum_[0], sum_[1]);
    for (std::size_t p = 0; p < probes; ++p)
      std::copy_n(products[p].begin(), count, facts_.images[p].begin() + static_cast<std::ptrdiff_t>(row));
    rows = rows.subspan(count * form_.row_bytes());
    row += count;
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
