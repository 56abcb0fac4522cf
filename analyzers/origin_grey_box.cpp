// Invert the base's MLP, subtract, and read the rank of random halves.
#include "analyzers/origin_grey_box.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/numerics/spectrum_result.hpp"

namespace stemma {

namespace {

constexpr std::uint32_t probe_stream = 0x6f7435, subset_stream = 0x6f7436;  // that nobody else uses
constexpr std::uint64_t spare_probes = 64;

/// `count` different numbers below n, ascending: the beginning of a shuffle (Fisher, Yates).
std::vector<std::size_t> subset(std::uint64_t n, std::uint64_t count, std::uint64_t seed,
                                std::uint32_t stream, std::uint32_t draw) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  count = std::min(count, n);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto words = random_words(seed, stream, i, draw);
    const double other = uniform_number(words[0], words[1]) * static_cast<double>(n - i);
    std::swap(all[i], all[i + static_cast<std::size_t>(other)]);
  }
  all.resize(count);
  std::sort(all.begin(), all.end());
  return all;
}

double square(const double* row, std::uint64_t d) { return std::inner_product(row, row + d, row, 0.0); }

double square_of_difference(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// The rows of accepted probes.
struct Differences {
  std::vector<double> rows;       ///< D
  std::vector<double> remainder;  ///< |F|^2 of each
  std::vector<double> floor;      ///< (2^-53 |f|)^2 of each
  std::uint64_t width = 0;
};

/// Singular values of some rows of D.
std::vector<double> values_of(const Differences& all, const std::vector<std::size_t>& chosen) {
  std::vector<double> some = all.rows;
  keep_rows(some, all.width, chosen);
  return required_singular_values(some, all.width, chosen.size());
}

void read_subsets(const Differences& all, std::uint64_t inner, const GreyBoxOptions& options,
                  GreyBoxReading& out) {
  const std::uint64_t count = std::min<std::uint64_t>(all.remainder.size(), all.width / 2);
  if (count < 2 || 2 * out.accepted < out.probes) return;
  const std::uint64_t limit = rank_limit(options.max_rank, std::min(inner, count));
  for (std::uint32_t draw = 0; draw < options.repetitions; ++draw) {
    const auto chosen = subset(all.remainder.size(), count, options.seed, subset_stream, draw);
    double left = 0, least = 0;
    for (const std::size_t i : chosen) {
      left += all.remainder[i];
      least += all.floor[i];
    }
    std::vector<double> values = values_of(all, chosen);
    out.repetitions.push_back(read_rank(values, std::sqrt(std::max(left, least)), limit));
    out.flops += 4.0 * static_cast<double>(all.width) * static_cast<double>(count * count);
    if (draw > 0 && out.repetitions.back().rank >= out.rank.rank) continue;
    out.rank = out.repetitions.back();
    out.values = std::move(values);
  }
}

}  // namespace

std::vector<std::size_t> draw_probes(const GreyBoxOptions& options, std::uint64_t width,
                                     std::uint64_t tokens) {
  const std::uint64_t count = options.probes > 0 ? options.probes : width / 2 + spare_probes;
  return subset(tokens, count, options.seed, probe_stream, 0);
}

std::optional<GreyBoxReading> read_grey_box(const SingleTokenLayer& base, std::span<const double> inputs,
                                            std::span<const double> outputs, const GreyBoxOptions& options) {
  const std::uint64_t d = base.width(), n = base.tokens_in(inputs);
  if (outputs.size() != inputs.size()) throw std::invalid_argument("every probe has an input and an output");
  std::vector<double> after = base.after_attention(inputs);
  if (!all_finite(inputs) || !all_finite(outputs) || !all_finite(after)) return std::nullopt;
  const Inversion found = invert_mlp(base, after, outputs, options.inversion);
  if (n > 0 && !std::isfinite(*std::min_element(found.errors.begin(), found.errors.end())))
    return std::nullopt;

  GreyBoxReading out{.probes = n, .passes = found.passes};
  out.flops =
      static_cast<double>(n) * base.attention_flops() + static_cast<double>(found.passes) * base.mlp_flops();
  Differences all{.width = d};
  double squares = 0, square_difference = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double error = found.errors[i];
    out.contracted += found.contracted[i] ? 1 : 0;
    out.most_steps = std::max(out.most_steps, found.steps[i]);
    out.mean_steps += static_cast<double>(found.steps[i]) / static_cast<double>(n);
    out.worst_error = std::max(out.worst_error, error);
    if (!(error <= options.accepted)) continue;
    ++out.accepted;
    out.error = std::max(out.error, error);
    const std::span<const double> x = inputs.subspan(i * d, d), y(after.data() + i * d, d),
                                  z(found.states.data() + i * d, d);
    for (std::size_t k = 0; k < d; ++k) all.rows.push_back(y[k] - z[k]);
    squares += square_of_difference(y, x) + square_of_difference(z, x);
    square_difference += square_of_difference(y, z);
    const double size = square(outputs.data() + i * d, d);
    all.remainder.push_back(error * error * (size > 0 ? size : 1));
    all.floor.push_back(0x1p-106 * size);
  }
  if (squares > 0) out.delta = std::sqrt(square_difference / (squares / 2));
  read_subsets(all, base.weights().shape.inner(), options, out);
  return out;
}

}  // namespace stemma
