// Small matrices are decomposed, large ones only applied: an update's rank is far below their sides.
#include "analyzers/origin_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/spectrum_result.hpp"
#include "analyzers/origin_operator.hpp"

namespace stemma {

namespace {

/// A subspace iteration pays where its block is below this share of the shorter side.
constexpr std::uint64_t block_share = 4;
/// Most updates have no more values above the noise than this block, which is tried first.
constexpr std::uint64_t first_block = 48;

void check(const TensorPair& pair) {
  if (pair.base.size() != pair.rows * pair.cols || pair.candidate.size() != pair.base.size())
    throw std::invalid_argument("the elements of two tensors do not fill one shape");
}

/// Singular values down to the noise: where few lie above it, only those of a small block; else the largest
/// `count`, or all of a matrix that is not much larger.
std::optional<std::vector<double>> largest_values(std::span<double> matrix, std::uint64_t rows,
                                                  std::uint64_t cols, std::uint64_t count, double noise,
                                                  std::uint64_t seed) {
  const std::uint64_t shorter = std::min(rows, cols);
  if (first_block * block_share < shorter) {
    auto values =
        leading_singular_values(matrix_operator(matrix, rows, cols), std::min(first_block, count), seed);
    if (!values || values->size() == count || values->back() <= noise) return values;
  }
  if (count * block_share < shorter)
    return leading_singular_values(matrix_operator(matrix, rows, cols), count, seed);
  const std::uint64_t transposed_rows = cols, transposed_cols = rows;  // which is what LAPACK sees
  return required_singular_values(matrix, transposed_rows, transposed_cols);
}

/// Reads `difference`, which is overwritten, with the noise that `push` makes of a draw. `size` is the
/// Frobenius norm of what it was computed from.
template <class Push>
std::optional<TensorReading> read_difference(const TensorPair& pair, std::span<double> difference,
                                             double size, std::uint64_t shortest, const Push& push,
                                             const OriginOptions& options) {
  const std::uint64_t side = std::min(pair.rows, pair.cols);
  double edge = 4 * std::sqrt(static_cast<double>(side)) * 0x1p-53 * size;  // of the arithmetic
  for (std::uint32_t draw = 0; draw < rounding_draws(pair.rows * pair.cols); ++draw) {
    std::vector<double> noise =
        rounding_noise(pair.rounding, pair.candidate, {options.seed, origin_tensor_noise, draw});
    push(noise);
    edge = std::max(edge, largest_singular_value(matrix_operator(noise, pair.rows, pair.cols)));
  }
  const std::uint64_t limit = rank_limit(options.max_rank, shortest);
  auto values = largest_values(difference, pair.rows, pair.cols,
                               std::min(side, limit + thresholds::origin_spare_values),
                               thresholds::origin_noise * edge, options.seed);
  if (!values) return std::nullopt;
  TensorReading out;
  out.rank = read_rank(*values, edge, limit);
  out.values = std::move(*values);
  return out;
}

/// w - (w q) q^T for row-major w, rows x cols, and the cols x rows column-major q.
void leave_space(std::span<double> w, std::span<const double> q, std::uint64_t rows, std::uint64_t cols) {
  std::vector<double> inside(rows * rows);
  dgemm(Transpose::yes, Transpose::no, rows, rows, cols, 1, q.data(), cols, w.data(), cols, 0, inside.data(),
        rows);
  dgemm(Transpose::no, Transpose::no, cols, rows, rows, -1, q.data(), cols, inside.data(), rows, 1, w.data(),
        cols);
}

}  // namespace

std::optional<TensorReading> read_tensor(const TensorPair& pair, const OriginOptions& options) {
  check(pair);
  if (!all_finite(pair.base) || !all_finite(pair.candidate)) return std::nullopt;
  std::vector<double> difference(pair.candidate.begin(), pair.candidate.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= pair.base[i];
  const double size = norm_of(difference), base = norm_of(pair.base), candidate = norm_of(pair.candidate);
  auto out = read_difference(
      pair, difference, size, std::min(pair.rows, pair.cols), [](std::span<double>) {}, options);
  if (!out || size == 0) return out;
  out->update = base > 0 ? size / base : std::numeric_limits<double>::infinity();
  out->delta = size / std::sqrt((base * base + candidate * candidate) / 2);
  out->label = origin_label(out->rank, out->delta, out->update);
  const bool codes = !pair.rounding.half_distances.empty();
  if (out->label == OriginLabel::identical) out->label = codes ? OriginLabel::coarse : OriginLabel::dead_zone;
  const double even =
      size * (1 / std::sqrt(static_cast<double>(pair.rows)) + 1 / std::sqrt(static_cast<double>(pair.cols)));
  const bool close = out->label == OriginLabel::full_rank_close || out->label == OriginLabel::dead_zone;
  if (close && out->rank.first > thresholds::origin_noise * out->rank.noise_edge &&
      out->rank.first <= thresholds::origin_even * even)
    out->label = OriginLabel::coarse;
  return out;
}

std::optional<TensorReading> read_row_space(const TensorPair& pair, const PairGains& gains,
                                            const OriginOptions& options) {
  check(pair);
  if (pair.rows >= pair.cols) throw std::invalid_argument("as many rows as columns span every row");
  for (const auto gain : {gains.base, gains.candidate})
    if (!gain.empty() && gain.size() != pair.cols)
      throw std::invalid_argument("a norm has one gain a column");
  if (!all_finite(pair.base) || !all_finite(pair.candidate) || !all_finite(gains.base) ||
      !all_finite(gains.candidate))
    return std::nullopt;
  std::vector<double> space = with_gain(pair.base, gains.base);  // W^T, column-major
  orthonormal_factor(space, pair.cols, pair.rows);
  std::vector<double> residual = with_gain(pair.candidate, gains.candidate);
  const double candidate = norm_of(residual);
  leave_space(residual, space, pair.rows, pair.cols);
  const double size = norm_of(residual);
  const auto push = [&](std::vector<double>& noise) {
    noise = with_gain(noise, gains.candidate);
    leave_space(noise, space, pair.rows, pair.cols);
  };
  auto out =
      read_difference(pair, residual, candidate, std::min(pair.rows, pair.cols - pair.rows), push, options);
  if (!out || candidate == 0) return out;
  out->update = out->delta = size / candidate;
  out->label = origin_label(out->rank, out->delta, out->update);
  return out;
}

}  // namespace stemma
