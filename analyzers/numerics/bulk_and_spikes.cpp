// With C = X^T Y and eigenvectors V of X^T X and W of Y^T Y above the edge, X_S = X V V^T and Y_S = Y W W^T:
//   <X_S, Y> = tr V^T C V, <X, Y_S> = tr W^T C W, <X_S, Y_S> = sum((V^T W) o (V^T C W)),
// and the bulk is what is left of <X, Y> = tr C.
#include "analyzers/numerics/bulk_and_spikes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/dot.hpp"
#include "analyzers/numerics/lapack.hpp"

namespace stemma {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Smaller products lie outside of what the reduction to tridiagonal form takes unscaled.
constexpr double least_product = 1e-140;

/// The matrix with its longer side as rows, over its largest element: squares then stay in range.
std::vector<double> tall(std::span<const double> matrix, std::uint64_t rows, std::uint64_t cols) {
  double largest = 0;
  for (const double x : matrix) largest = std::max(largest, std::abs(x));
  const double unit = largest > 0 ? largest : 1;
  std::vector<double> out(matrix.size());
  for (std::uint64_t i = 0; i < rows; ++i)
    for (std::uint64_t j = 0; j < cols; ++j)
      out[rows >= cols ? i * cols + j : j * rows + i] = matrix[i * cols + j] / unit;
  return out;
}

/// One matrix, split. Directions are columns of n elements.
struct Split {
  std::uint64_t n = 0, spikes = 0;
  std::vector<double> directions;
  double spikes_square = 0, bulk_square = 0;
  bool failed = false;

  Split(std::span<const double> matrix, std::uint64_t rows, std::uint64_t cols, double edge) : n(cols) {
    std::vector<double> gram(n * n);
    dsyrk(Transpose::no, n, rows, 1, matrix.data(), n, 0, gram.data(), n);
    double square = 0;
    for (std::uint64_t i = 0; i < n; ++i) square += gram[i * n + i];
    for (double& x : gram)
      if (std::abs(x) < least_product) x = 0;
    const Tridiagonal reduced(gram, n);
    const std::vector<double> values = reduced.eigenvalues();
    if (values.size() != n) {
      failed = true;
      return;
    }
    const auto singular = [&](std::uint64_t i) { return std::sqrt(std::max(0.0, values[i])); };
    const double sigma =
        (singular((n - 1) / 2) + singular(n / 2)) / 2 / normal_median_singular_value(rows, cols);
    const double least =
        edge * sigma * (std::sqrt(static_cast<double>(rows)) + std::sqrt(static_cast<double>(cols)));
    while (spikes < n && singular(n - 1 - spikes) > least) spikes_square += values[n - ++spikes];
    bulk_square = square - spikes_square;
    if (!(bulk_square > static_cast<double>(n) * 0x1p-52 * square)) bulk_square = 0;
    if (spikes == 0) return;
    directions = reduced.vectors(std::span(values).last(spikes));
    failed = directions.size() != n * spikes;
  }
};

/// A^T B of n x p and n x q.
std::vector<double> products(std::span<const double> a, std::span<const double> b, std::uint64_t n) {
  const std::uint64_t p = a.size() / n, q = b.size() / n;
  std::vector<double> out(p * q);
  if (!out.empty())
    dgemm(Transpose::yes, Transpose::no, p, q, n, 1, a.data(), n, b.data(), n, 0, out.data(), p);
  return out;
}

/// C B of n x n and n x q.
std::vector<double> image(std::span<const double> c, std::span<const double> b, std::uint64_t n) {
  std::vector<double> out(b.size());
  if (!out.empty())
    dgemm(Transpose::no, Transpose::no, n, b.size() / n, n, 1, c.data(), n, b.data(), n, 0, out.data(), n);
  return out;
}

double cosine(double product, double one_square, double other_square) {
  return one_square > 0 && other_square > 0 ? product / std::sqrt(one_square * other_square) : nothing;
}

PartCosines cosines(const Split& x, const Split& y, std::span<const double> c) {
  const std::uint64_t n = x.n;
  double all = 0;
  for (std::uint64_t i = 0; i < n; ++i) all += c[i * n + i];
  const std::vector<double> of_y = image(c, y.directions, n);
  const double x_spikes = dot(image(c, x.directions, n), x.directions), y_spikes = dot(of_y, y.directions),
               both = dot(products(x.directions, y.directions, n), products(x.directions, of_y, n));
  return {.whole = cosine(all, x.spikes_square + x.bulk_square, y.spikes_square + y.bulk_square),
          .spikes = cosine(both, x.spikes_square, y.spikes_square),
          .bulk = cosine(all - x_spikes - y_spikes + both, x.bulk_square, y.bulk_square)};
}

}  // namespace

double normal_median_singular_value(std::uint64_t rows, std::uint64_t cols) {
  const auto longer = static_cast<double>(std::max(rows, cols)),
             shorter = static_cast<double>(std::min(rows, cols));
  if (shorter == 0) return 0;
  // Squares over the longer side are 1 + y + 2 sqrt(y) cos t with density 2 sin^2 t / (pi x) in t: smooth,
  // and none of it is outside of [0, pi].
  const double y = shorter / longer;
  constexpr int steps = 1 << 14;
  const auto square = [&](double t) { return 1 + y + 2 * std::sqrt(y) * std::cos(t); };
  double mass = 0;
  for (int i = 0; i < steps; ++i) {  // from the largest value downwards; the middles of equal steps
    const double width = std::numbers::pi / steps, t = (i + 0.5) * width, x = square(t);
    const double step = 2 * std::sin(t) * std::sin(t) / (std::numbers::pi * x) * width;
    if (mass + step >= 0.5) return std::sqrt(longer * square((i + (0.5 - mass) / step) * width));
    mass += step;
  }
  return std::sqrt(longer * square(std::numbers::pi));
}

SplitCosines split_cosines(const MatrixPair& pair, double edge) {
  const std::uint64_t elements = pair.rows * pair.cols;
  if (pair.x.size() != elements || pair.y.size() != elements)
    throw std::invalid_argument("split_cosines: a matrix has another size than its shape says");
  SplitCosines out;
  if (elements == 0) return out;
  const std::uint64_t m = std::max(pair.rows, pair.cols), n = std::min(pair.rows, pair.cols);
  const std::vector<double> x = tall(pair.x, pair.rows, pair.cols);
  std::vector<double> y = tall(pair.y, pair.rows, pair.cols);
  const Split of_x(x, m, n, edge), of_y(y, m, n, edge);
  if (of_x.failed || of_y.failed) return out;
  out.spikes_of_x = of_x.spikes;
  out.spikes_of_y = of_y.spikes;
  std::vector<double> c(n * n);
  const auto compare = [&] {
    dgemm(Transpose::no, Transpose::yes, n, n, m, 1, x.data(), n, y.data(), n, 0, c.data(), n);
    return cosines(of_x, of_y, c);
  };
  out.matched = compare();
  std::rotate(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(n), y.end());
  out.shuffled = compare();
  return out;
}

}  // namespace stemma
