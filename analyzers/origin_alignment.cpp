// Everything follows from E_b^T E_c and the lengths of columns: embeddings are read once.
#include "analyzers/origin_alignment.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/spectrum_result.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

/// Products of all columns of the base with all of the candidate.
struct ColumnProducts {
  std::uint64_t width = 0;
  std::vector<double> products;  ///< E_b^T E_c, column-major: row i is column i of the base; empty: not yet
  std::vector<double> base, candidate;  ///< lengths of columns

  double at(std::uint64_t i, std::uint64_t j) const { return products[i + j * width]; }
  /// Columns without length agree with each other and with nothing else.
  double cosine(std::uint64_t i, std::uint64_t j) const { return cosine(i, j, at(i, j)); }
  double cosine(std::uint64_t i, std::uint64_t j, double product) const {
    const double lengths = base[i] * candidate[j];
    return lengths > 0 ? product / lengths : (base[i] == candidate[j] ? 1 : 0);
  }
};

std::vector<double> column_lengths(std::span<const double> matrix, std::uint64_t cols) {
  std::vector<double> out(cols);
  for (std::size_t i = 0; i < matrix.size(); ++i) out[i % cols] += matrix[i] * matrix[i];
  for (double& x : out) x = std::sqrt(x);
  return out;
}

/// Products of each column of the base with the one of the same index: all that an identity takes.
std::vector<double> diagonal_of(const SharedEmbeddings& e) {
  std::vector<double> out(e.width);
  for (std::size_t i = 0; i < e.base.size(); ++i) out[i % e.width] += e.base[i] * e.candidate[i];
  return out;
}

void multiply(const SharedEmbeddings& e, ColumnProducts& columns) {
  const std::uint64_t d = e.width;
  columns.products.resize(d * d);
  dgemm(Transpose::no, Transpose::yes, d, d, e.tokens, 1, e.base.data(), d, e.candidate.data(), d, 0,
        columns.products.data(), d);
}

/// Best match of every column of one side among those of the other, the first of equals.
struct BestMatches {
  std::vector<std::uint64_t> of_base, of_candidate;

  explicit BestMatches(const ColumnProducts& columns) : of_base(columns.width), of_candidate(columns.width) {
    std::vector<double> best_of_base(columns.width, -1), best_of_candidate(columns.width, -1);
    for (std::uint64_t j = 0; j < columns.width; ++j)
      for (std::uint64_t i = 0; i < columns.width; ++i) {
        const double cosine = std::abs(columns.cosine(i, j));
        if (cosine > best_of_base[i]) {
          best_of_base[i] = cosine;
          of_base[i] = j;
        }
        if (cosine > best_of_candidate[j]) {
          best_of_candidate[j] = cosine;
          of_candidate[j] = i;
        }
      }
  }
};

/// Fills the places of `source` that say `width` with the columns that nobody has, by descending |cosine|.
void match_the_rest(const ColumnProducts& columns, std::vector<std::uint64_t>& source) {
  const std::uint64_t d = columns.width;
  std::vector<std::uint64_t> here, there;
  std::vector<bool> taken(d, false);
  for (std::uint64_t i = 0; i < d; ++i)
    if (source[i] < d)
      taken[source[i]] = true;
    else
      here.push_back(i);
  for (std::uint64_t j = 0; j < d; ++j)
    if (!taken[j]) there.push_back(j);
  std::vector<std::tuple<double, std::uint64_t, std::uint64_t>> candidates;
  for (const std::uint64_t i : here)
    for (const std::uint64_t j : there) candidates.emplace_back(-std::abs(columns.cosine(i, j)), i, j);
  std::sort(candidates.begin(), candidates.end());
  for (const auto& [cosine, i, j] : candidates) {
    if (source[i] < d || taken[j]) continue;
    source[i] = j;
    taken[j] = true;
  }
}

/// The product <E_c Q^T, E_b> of a signed permutation, or nothing when too few columns agree.
std::optional<double> permute(const ColumnProducts& columns, StreamAlignment& out) {
  const std::uint64_t d = columns.width;
  const BestMatches best(columns);
  out.source.assign(d, d);
  std::uint64_t agreeing = 0;
  for (std::uint64_t i = 0; i < d; ++i) {
    const std::uint64_t j = best.of_base[i];
    if (best.of_candidate[j] != i || std::abs(columns.cosine(i, j)) <= thresholds::origin_axes_cosine)
      continue;
    out.source[i] = j;
    ++agreeing;
  }
  out.agreeing = static_cast<double>(agreeing) / static_cast<double>(d);
  if (out.agreeing < thresholds::origin_axes_share) {
    out.source.clear();
    return std::nullopt;
  }
  match_the_rest(columns, out.source);
  double product = 0;
  for (std::uint64_t i = 0; i < d; ++i) {
    out.sign.push_back(columns.cosine(i, out.source[i]) < 0 ? -1 : 1);
    product += out.sign[i] * columns.at(i, out.source[i]);
  }
  return product;
}

/// The same of a rotation; nothing when the tokens do not determine one.
std::optional<double> rotate(const SharedEmbeddings& embeddings, ColumnProducts& columns,
                             StreamAlignment& out) {
  const std::uint64_t d = columns.width;
  if (embeddings.tokens < d) return std::nullopt;
  // The sum of d singular values is at most sqrt(d) |E_b^T E_c|_F: strangers need no decomposition.
  const double most = std::sqrt(static_cast<double>(d)) * norm_of(columns.products);
  out.residual =
      std::sqrt(std::max(0.0, 2 - 2 * most / (norm_of(columns.base) * norm_of(columns.candidate))));
  if (out.residual > thresholds::origin_loose_residual) return std::nullopt;
  const std::vector<double> values = polar_factor(columns.products, d);
  if (values.empty()) refuse_spectrum("spectrum.invariant", "singular values", "dgesdd gave up");
  const double least = values[d < 2 ? 0 : d - 2];
  if (!(least > static_cast<double>(d) * 0x1p-52 * values[0])) return std::nullopt;
  out.rotation.resize(d * d);
  for (std::uint64_t i = 0; i < d; ++i)
    for (std::uint64_t j = 0; j < d; ++j) out.rotation[i * d + j] = columns.products[i + j * d];
  return std::accumulate(values.begin(), values.end(), 0.0);
}

void check(const StreamAlignment& alignment, std::size_t elements, std::uint64_t other_side) {
  if (alignment.change == StreamChange::unaligned)
    throw std::invalid_argument("streams that are not aligned have no map");
  if (elements != alignment.width * other_side)
    throw std::invalid_argument("the elements of a matrix do not fill its shape");
}

}  // namespace

std::optional<StreamAlignment> align_stream(const SharedEmbeddings& embeddings) {
  const std::uint64_t d = embeddings.width;
  if (embeddings.base.size() != embeddings.tokens * d ||
      embeddings.candidate.size() != embeddings.base.size())
    throw std::invalid_argument("the elements of two embeddings do not fill one shape");
  StreamAlignment out{.width = d};
  if (embeddings.base.empty()) return out;
  ColumnProducts columns{d, {}, column_lengths(embeddings.base, d), column_lengths(embeddings.candidate, d)};
  const double base = norm_of(columns.base), candidate = norm_of(columns.candidate);
  if (!std::isfinite(base) || !std::isfinite(candidate)) return std::nullopt;
  if (base == 0 || candidate == 0) return out;
  out.scale = candidate / base;
  // |E_c Q^T / s - E_b|^2 = 2 |E_b|^2 - 2 <E_c Q^T, E_b> / s, as s makes both equally long
  const auto judge = [&](StreamChange change, double product) {
    out.change = change;
    out.residual = std::sqrt(std::max(0.0, 2 - 2 * product / (base * candidate)));
  };
  const std::vector<double> diagonal = diagonal_of(embeddings);
  std::uint64_t same = 0;
  for (std::uint64_t i = 0; i < d; ++i)
    if (columns.cosine(i, i, diagonal[i]) > thresholds::origin_axes_cosine) ++same;
  out.agreeing = static_cast<double>(same) / static_cast<double>(d);
  if (out.agreeing >= thresholds::origin_axes_share) {
    judge(StreamChange::identity, std::accumulate(diagonal.begin(), diagonal.end(), 0.0));
    if (std::abs(out.scale - 1) < thresholds::origin_trained_scale) out.scale = 1;
    return out;
  }
  multiply(embeddings, columns);
  if (const auto product = permute(columns, out)) {
    judge(StreamChange::signed_permutation, *product);
    return out;
  }
  out.agreeing = 0;
  if (const auto product = rotate(embeddings, columns, out)) {
    judge(StreamChange::orthogonal, *product);
    if (!(out.residual < thresholds::origin_rotation_residual)) out.change = StreamChange::unaligned;
    if (!(out.residual < thresholds::origin_loose_residual)) out.rotation = {};
  }
  return out;
}

std::vector<double> aligned_reader(const StreamAlignment& alignment, std::span<const double> reader,
                                   std::uint64_t rows) {
  check(alignment, reader.size(), rows);
  const std::uint64_t d = alignment.width;
  std::vector<double> out(reader.begin(), reader.end());
  if (alignment.change == StreamChange::signed_permutation)
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = alignment.sign[i % d] * reader[i - i % d + alignment.source[i % d]];
  if (alignment.change == StreamChange::orthogonal)  // its transpose, Q W^T
    dgemm(Transpose::yes, Transpose::no, d, rows, d, 1, alignment.rotation.data(), d, reader.data(), d, 0,
          out.data(), d);
  return out;
}

std::vector<double> turned_reader(const StreamAlignment& alignment, std::span<const double> reader,
                                  std::uint64_t rows) {
  check(alignment, reader.size(), rows);
  const std::uint64_t d = alignment.width;
  std::vector<double> out(reader.begin(), reader.end());
  if (alignment.change == StreamChange::signed_permutation)
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i - i % d + alignment.source[i % d]] = alignment.sign[i % d] * reader[i];
  if (alignment.change == StreamChange::orthogonal)  // its transpose, Q^T W^T
    dgemm(Transpose::no, Transpose::no, d, rows, d, 1, alignment.rotation.data(), d, reader.data(), d, 0,
          out.data(), d);
  return out;
}

std::vector<double> aligned_writer(const StreamAlignment& alignment, std::span<const double> writer,
                                   std::uint64_t cols) {
  check(alignment, writer.size(), cols);
  const std::uint64_t d = alignment.width;
  std::vector<double> out(writer.begin(), writer.end());
  if (alignment.change == StreamChange::signed_permutation)
    for (std::uint64_t i = 0; i < d; ++i)
      for (std::uint64_t j = 0; j < cols; ++j)
        out[i * cols + j] = alignment.sign[i] * writer[alignment.source[i] * cols + j];
  if (alignment.change == StreamChange::orthogonal)  // its transpose, W^T Q^T
    dgemm(Transpose::no, Transpose::no, cols, d, d, 1, writer.data(), cols, alignment.rotation.data(), d, 0,
          out.data(), cols);
  for (double& x : out) x /= alignment.scale;
  return out;
}

}  // namespace stemma
