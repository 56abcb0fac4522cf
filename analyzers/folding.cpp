// What does a weight look like once the norm in front of it, or behind it, is multiplied in?
#include "analyzers/folding.hpp"

#include <algorithm>
#include <stdexcept>

#include "io/model/widen.hpp"

namespace stemma {

std::vector<double> effective_gain(std::span<const double> stored, double offset) {
  std::vector<double> gain(stored.begin(), stored.end());
  for (double& g : gain) g += offset;
  return gain;
}

void scale_columns(std::span<double> matrix, std::span<const double> gain) {
  if (gain.empty()) return;
  for (std::size_t row = 0; row < matrix.size(); row += gain.size())
    for (std::size_t j = 0; j < gain.size(); ++j) matrix[row + j] *= gain[j];
}

std::vector<double> with_gain(std::span<const double> matrix, std::span<const double> gain) {
  std::vector<double> out(matrix.begin(), matrix.end());
  scale_columns(out, gain);
  return out;
}

void centre_rows(std::span<double> matrix, std::uint64_t cols) {
  for (std::size_t first = 0; first < matrix.size(); first += cols) {
    const std::span<double> row = matrix.subspan(first, cols);
    double sum = 0;
    for (const double x : row) sum += x;
    const double mean = sum / static_cast<double>(cols);
    for (double& x : row) x -= mean;
  }
}

void centre_columns(std::span<double> matrix, std::uint64_t cols) {
  std::vector<double> mean(cols);
  const std::size_t rows = matrix.size() / cols;
  for (std::size_t i = 0; i < matrix.size(); ++i) mean[i % cols] += matrix[i];
  for (double& x : mean) x /= static_cast<double>(rows);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] -= mean[i % cols];
}

std::vector<double> folded_reader(std::vector<double> reader, std::uint64_t cols,
                                  std::span<const double> gain, bool centred) {
  scale_columns(reader, gain);
  if (centred) centre_rows(reader, cols);
  return reader;
}

std::vector<double> folded_writer_columns(std::vector<double> writer, std::uint64_t cols,
                                          std::span<const double> gain, bool centred) {
  const std::uint64_t rows = writer.size() / cols;
  for (std::size_t i = 0; !gain.empty() && i < writer.size(); ++i) writer[i] *= gain[i / cols];
  if (centred) centre_columns(writer, cols);
  std::vector<double> out(writer.size());
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::uint64_t j = 0; j < cols; ++j) out[j * rows + i] = writer[i * cols + j];
  return out;
}

FoldedBlocks::FoldedBlocks(Dtype dtype, std::uint64_t rows, std::uint64_t cols, std::uint64_t height,
                           Fold fold, Use use)
    : dtype_(dtype),
      rows_(rows),
      cols_(cols),
      height_(std::clamp<std::uint64_t>(height, 1, std::max<std::uint64_t>(rows, 1))),
      fold_(std::move(fold)),
      use_(std::move(use)),
      block_(height_ * cols) {
  if ((!fold_.columns.empty() && fold_.columns.size() != cols) ||
      (!fold_.rows.empty() && fold_.rows.size() != rows)) {
    throw std::invalid_argument("norm gain and weight differ in width");
  }
}

void FoldedBlocks::fold_row(std::span<double> row, std::uint64_t index) const {
  scale_columns(row, fold_.columns);
  if (!fold_.rows.empty()) {
    for (double& x : row) x *= fold_.rows[index];
  }
  if (fold_.centre_rows) stemma::centre_rows(row, row.size());
}

void FoldedBlocks::take(const Panel& panel) {
  const std::uint64_t row_bytes = cols_ * (bits_of(dtype_) / 8);
  for (std::uint64_t r = 0; r < panel.rows; ++r) {
    const std::span<double> row = std::span(block_).subspan(filled_ * cols_, cols_);
    widen(dtype_, panel.bytes.subspan(r * row_bytes, row_bytes), row);
    fold_row(row, next_row_);
    ++filled_;
    ++next_row_;
    if (filled_ == height_ || next_row_ == rows_) {
      use_(next_row_ - filled_, filled_, std::span(block_).first(filled_ * cols_));
      filled_ = 0;
    }
  }
}

}  // namespace stemma
