// Answers are integers of 8 bits: products over at most 192 anchors stay below 2^24, so BLAS may add them up
// in single precision and in any order, and every machine finds the same correlations.
#include "analyzers/neuron_scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/blas.hpp"
#include "io/archive/evidence.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

/// Anchors without a reading are the same for all neurons, whatever their kind.
bool says_something(const NeuronSketch& sketch, std::size_t anchor) {
  if (sketch.blocks.empty() || sketch.blocks.front().size() == 0) return false;
  const NeuronBlock& block = sketch.blocks.front();
  return block.first[anchor] != no_reading && block.second[anchor] != no_reading;
}

/// Positions [first, last) of both lists whose keys are equal; both ascend.
SharedAnchors join(const NeuronSketch& a, std::size_t a_first, std::size_t a_last, const NeuronSketch& b,
                   std::size_t b_first, std::size_t b_last) {
  SharedAnchors shared;
  for (std::size_t i = a_first, j = b_first; i < a_last && j < b_last;) {
    if (a.keys[i] == b.keys[j]) {
      if (says_something(a, i) && says_something(b, j)) {
        shared.of_a.push_back(static_cast<std::uint32_t>(i));
        shared.of_b.push_back(static_cast<std::uint32_t>(j));
      }
      ++i, ++j;
    } else {
      (a.keys[i] < b.keys[j] ? i : j)++;
    }
  }
  return shared;
}

}  // namespace

SharedAnchors shared_anchors(const NeuronSketch& a, const NeuronSketch& b) {
  SharedAnchors by_string = join(a, 0, a.by_string, b, 0, b.by_string);
  if (by_string.size() >= fewest_anchors) return by_string;
  SharedAnchors by_row = join(a, a.by_string, a.keys.size(), b, b.by_string, b.keys.size());
  by_row.by_row = true;
  // Where both vocabularies are known and differ, equal numbers are different tokens.
  const bool known = a.by_string > 0 && b.by_string > 0;
  return known || by_row.size() < by_string.size() ? by_string : by_row;
}

AnswerRows::AnswerRows(std::span<const std::int8_t> answers, std::size_t stride,
                       std::span<const std::uint32_t> columns, std::size_t most) {
  const std::size_t rows = stride == 0 ? 0 : std::min(answers.size() / stride, most);
  values_.resize(rows * columns.size());
  const auto n = static_cast<double>(columns.size());
  for (std::size_t r = 0; r < rows; ++r) {
    // Sums of integers, which compilers may take many at once.
    std::int32_t sum = 0, squares = 0;
    float* const row = &values_[r * columns.size()];
    for (std::size_t c = 0; c < columns.size(); ++c)
      row[c] = static_cast<float>(answers[r * stride + columns[c]]);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto x = static_cast<std::int32_t>(row[c]);
      sum += x;
      squares += x * x;
    }
    sum_.push_back(sum);
    const double spread = n * squares - sum_.back() * sum_.back();
    scale_.push_back(spread > 0 ? 1 / std::sqrt(spread) : 0);
  }
}

void AnswerRows::append(const AnswerRows& more) {
  values_.insert(values_.end(), more.values_.begin(), more.values_.end());
  sum_.insert(sum_.end(), more.sum_.begin(), more.sum_.end());
  scale_.insert(scale_.end(), more.scale_.begin(), more.scale_.end());
}

std::vector<float> correlations(const AnswerRows& a, const AnswerRows& b, bool sign_free) {
  std::vector<float> out(a.rows() * b.rows());
  if (out.empty()) return out;
  const std::size_t anchors = a.values().size() / a.rows();
  std::vector<float> products(out.size());
  sgemm(Transpose::yes, Transpose::no, b.rows(), a.rows(), anchors, 1, b.values().data(), anchors,
        a.values().data(), anchors, 0, products.data(), b.rows());
  const auto n = static_cast<double>(anchors);
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t j = 0; j < b.rows(); ++j) {
      const double covariance = n * static_cast<double>(products[i * b.rows() + j]) - a.sum(i) * b.sum(j);
      const double r = covariance * a.scale(i) * b.scale(j);
      const bool varies = a.scale(i) > 0 && b.scale(j) > 0;
      out[i * b.rows() + j] = static_cast<float>(!varies ? -2 : sign_free ? std::abs(r) : r);
    }
  return out;
}

namespace {

constexpr std::size_t fewest_in_attention = 16;

/// Shared anchors that both were asked about, as rows of the readings.
SharedAnchors shared_in_attention(const NeuronSketch& a, const NeuronSketch& b, const SharedAnchors& shared) {
  const auto of_a = attention_anchors(a.keys.size(), a.by_string),
             of_b = attention_anchors(b.keys.size(), b.by_string);
  SharedAnchors rows;
  for (std::size_t i = 0; i < shared.size(); ++i) {
    const auto x = std::ranges::lower_bound(of_a, shared.of_a[i]);
    const auto y = std::ranges::lower_bound(of_b, shared.of_b[i]);
    if (x == of_a.end() || *x != shared.of_a[i] || y == of_b.end() || *y != shared.of_b[i]) continue;
    rows.of_a.push_back(static_cast<std::uint32_t>(x - of_a.begin()));
    rows.of_b.push_back(static_cast<std::uint32_t>(y - of_b.begin()));
  }
  return rows;
}

/// The part of a square reading over some anchors, means of rows and columns removed.
std::vector<double> centred_part(const AttentionBlock& block, std::span<const std::uint32_t> rows) {
  const auto side =
      static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(block.reading.size()))));
  std::vector<double> part;
  for (const std::uint32_t query : rows)
    for (const std::uint32_t key : rows) part.push_back(block.reading[query * side + key]);
  centre_rows(part, rows.size());
  centre_columns(part, rows.size());
  return part;
}

double inner(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

double attention_correlation(const NeuronSketch& a, const AttentionBlock& of_a, const NeuronSketch& b,
                             const AttentionBlock& of_b, const SharedAnchors& shared) {
  const SharedAnchors rows = shared_in_attention(a, b, shared);
  if (rows.size() < fewest_in_attention) return missing;
  const std::vector<double> x = centred_part(of_a, rows.of_a), y = centred_part(of_b, rows.of_b);
  const double lengths = std::sqrt(inner(x, x) * inner(y, y));
  return lengths > 0 ? inner(x, y) / lengths : missing;
}

}  // namespace stemma
