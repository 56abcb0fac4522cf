// Neurons are matched twice, by rows of gate and by rows of up (without gates: by rows of up and columns of
// down), and once by both together. Scores are cosines, in tiles; with a gate the sign of up and down is
// free, so |cosine|. Over what both together match, weights are compared without what an exact change of
// parameters may do to a neuron: rows of up and columns of down have length 1 and the sign of the base.
#include "analyzers/aligned_neurons_measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "analyzers/matched_neurons.hpp"
#include "analyzers/mlp_weights.hpp"
#include "analyzers/numerics/assignment.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/bulk_and_spikes.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/mutual_best.hpp"
#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr std::size_t tile_side = 1024;
constexpr std::uint64_t order_seed =
    0x6e6575726f6e73;  // any fixed number: archives must not depend on chance

constexpr std::array weights = {MlpWeight::gate, MlpWeight::up, MlpWeight::down};

std::size_t index(MlpWeight weight) { return static_cast<std::size_t>(weight); }

/// Rows of length 1, or of length 0.
std::vector<float> directions(const NeuronRows& rows) {
  std::vector<float> out(rows.values.size());
  for (std::uint64_t i = 0; i < rows.neurons(); ++i)
    for (std::uint64_t j = 0; rows.lengths[i] > 0 && j < rows.width; ++j)
      out[i * rows.width + j] = static_cast<float>(rows.row(i)[j] / rows.lengths[i]);
  return out;
}

/// Partners of the base's neurons by the first kind of rows, by the second, and by the sum of both scores.
struct Partners {
  std::vector<std::int32_t> by_first, by_second, by_both;
};

/// Directions of both sides.
struct Directions {
  std::vector<float> base, candidate;
  bool sign_counts = true;
};

class NeuronsMeasurement final : public Measurement {
 public:
  NeuronsMeasurement(Subject subject, std::span<const Input> inputs,
                     std::span<const std::vector<double>> companions)
      : subject_(std::move(subject)),
        held_(inputs),
        companions_(companions.begin(), companions.end()),
        alignment_(map_of(subject_, companions_, width())) {}

  void take(std::size_t input, const Panel& panel) override { held_.take(input, panel); }

  Features finish() override {
    std::array<std::vector<double>, 2> sizes;  // product of a neuron's lengths
    std::vector<Directions> kinds;
    bool sorted = false;
    for (const MlpWeight weight : weights) {
      if (weight == MlpWeight::gate && !gated()) continue;
      Directions both;
      for (const Side side : {Side::base, Side::candidate}) {
        const NeuronRows rows = folded(side, weight);
        if (!all_finite(rows.lengths)) return nonfinite();
        std::vector<double>& size = sizes[static_cast<std::size_t>(side)];
        size.resize(rows.neurons(), 1);
        for (std::uint64_t i = 0; i < rows.neurons(); ++i) size[i] *= rows.lengths[i];
        if (weight != MlpWeight::gate) sorted |= follow_places(rows.lengths);
        (side == Side::base ? both.base : both.candidate) = directions(rows);
      }
      both.sign_counts = weight == MlpWeight::gate || !gated();
      if (kinds.size() < 2) kinds.push_back(std::move(both));
    }
    for (const std::vector<double>& size : sizes) sorted |= follow_places(size);
    const std::uint64_t neurons = sizes[0].size(), others = sizes[1].size();
    const Partners found = match(kinds[0], kinds[1], neurons, others);
    Features out;
    NeuronCounts counts = counts_of(found.by_first, found.by_second, found.by_both, others);
    counts.sorted = sorted;
    out.counts = as_features(counts);
    if (std::max(neurons, others) <= thresholds::assigned_neurons)
      out.counts["assigned"] = assigned(kinds, neurons, others);
    kinds.clear();
    compare_weights(found.by_both, out);
    return out;
  }

 private:
  static Features nonfinite() {
    Features out;
    out.status = Status::nonfinite;
    return out;
  }

  std::uint64_t width() const { return static_cast<std::uint64_t>(subject_.parameters.at("width")); }
  bool gated() const { return mlps_.gated(); }
  /// With norms multiplied in, in the coordinates of the base.
  NeuronRows folded(Side side, MlpWeight weight) const {
    NeuronRows rows = mlps_.rows(side, weight);
    if (side == Side::candidate) set_values(rows, aligned_reader(alignment_, rows.values, rows.neurons()));
    return rows;
  }

  Partners match(const Directions& first, const Directions& second, std::size_t rows,
                 std::size_t columns) const {
    MutualBest by_first(rows, columns), by_second(rows, columns), by_both(rows, columns);
    std::vector<float> one(tile_side * tile_side), other(one.size());
    for (std::size_t i = 0; i < rows; i += tile_side)
      for (std::size_t j = 0; j < columns; j += tile_side) {
        const Tile tile{i, j, std::min(tile_side, rows - i), std::min(tile_side, columns - j)};
        const ScoreView of_first = scores(first, tile, one), of_second = scores(second, tile, other);
        by_first.add(i, j, of_first);
        by_second.add(i, j, of_second);
        for (std::size_t k = 0; k < tile.rows * tile.columns; ++k) one[k] += other[k];
        by_both.add(i, j, of_first);
      }
    return {by_first.partners(), by_second.partners(), by_both.partners()};
  }

  ScoreView scores(const Directions& both, const Tile& tile, std::vector<float>& out) const {
    const std::uint64_t d = width();
    sgemm(Transpose::yes, Transpose::no, tile.columns, tile.rows, d, 1,
          both.candidate.data() + tile.column * d, d, both.base.data() + tile.row * d, d, 0, out.data(),
          tile.columns);
    const std::size_t used = tile.rows * tile.columns;
    if (!both.sign_counts)
      for (std::size_t k = 0; k < used; ++k) out[k] = std::abs(out[k]);
    return {std::span(out).first(used), tile.rows, tile.columns, tile.columns};
  }

  /// Neurons of which two optimal assignments say the same, one by each kind of rows. They match everybody,
  /// so they see what is hardly alike any more, and take strangers for relatives more often than mutual
  /// choice does. The candidate's neurons come in random order: of equal scores an assignment takes those at
  /// equal places.
  std::size_t assigned(std::span<const Directions> kinds, std::size_t rows, std::size_t columns) const {
    std::vector<std::size_t> order(columns);
    std::iota(order.begin(), order.end(), 0);
    std::vector<double> chance;
    for (std::size_t j = 0; j < columns; ++j) {
      const auto words = random_words(order_seed, 0, j);
      chance.push_back(uniform_number(words[0], words[1]));
    }
    std::ranges::sort(order, {}, [&](std::size_t j) { return chance[j]; });
    std::array<std::vector<std::int32_t>, 2> partners;
    std::vector<float> scores_of_all(rows * columns);
    for (std::size_t kind = 0; kind < 2; ++kind) {
      Directions shuffled{kinds[kind].base, {}, kinds[kind].sign_counts};
      for (const std::size_t j : order) {
        const auto row = kinds[kind].candidate.begin() + static_cast<std::ptrdiff_t>(j * width());
        shuffled.candidate.insert(shuffled.candidate.end(), row, row + static_cast<std::ptrdiff_t>(width()));
      }
      partners[kind] = best_assignment(scores(shuffled, {0, 0, rows, columns}, scores_of_all)).column_of_row;
    }
    return agreement(partners[0], partners[1]).same;
  }

  /// Cosines of what is matched, in the order of the base.
  void compare_weights(std::span<const std::int32_t> partners, Features& out) const {
    std::vector<std::uint64_t> places;
    for (std::size_t i = 0; i < partners.size(); ++i)
      if (partners[i] != unmatched) places.push_back(i);
    std::vector<double> signs(places.size(), 1);
    for (const MlpWeight weight : weights) {
      if (weight == MlpWeight::gate && !gated()) continue;
      const NeuronRows base = folded(Side::base, weight), candidate = folded(Side::candidate, weight);
      std::vector<double> x, y;
      for (std::size_t k = 0; k < places.size(); ++k) {
        const std::uint64_t i = places[k], j = static_cast<std::uint64_t>(partners[i]);
        if (weight == MlpWeight::up && gated() &&
            std::inner_product(base.row(i).begin(), base.row(i).end(), candidate.row(j).begin(), 0.0) < 0)
          signs[k] = -1;
        const auto add = [&](std::vector<double>& to, const NeuronRows& rows, std::uint64_t at, double sign) {
          const double unit = weight == MlpWeight::gate || rows.lengths[at] == 0 ? 1 : rows.lengths[at];
          for (const double value : rows.row(at)) to.push_back(sign * value / unit);
        };
        add(x, base, i, 1);
        add(y, candidate, j, weight == MlpWeight::gate ? 1 : signs[k]);
      }
      const SplitCosines found = split_cosines({x, y, places.size(), width()}, thresholds::random_edge);
      const std::string name = mlp_weights[index(weight)];
      out.counts[name + "_spikes_of_base"] = found.spikes_of_x;
      out.counts[name + "_spikes_of_candidate"] = found.spikes_of_y;
      out.numbers[name + "_whole"] = found.matched.whole;
      out.numbers[name + "_spikes"] = found.matched.spikes;
      out.numbers[name + "_bulk"] = found.matched.bulk;
      out.numbers[name + "_shuffled_spikes"] = found.shuffled.spikes;
      out.numbers[name + "_shuffled_bulk"] = found.shuffled.bulk;
    }
  }

  Subject subject_;
  HeldInputs held_;
  std::vector<std::vector<double>> companions_;
  MlpPair mlps_{subject_, "", held_, companions_};
  StreamAlignment alignment_;
};

}  // namespace

Cost aligned_neurons_cost(const Subject& subject, std::span<const Input> inputs) {
  double stored = 0, elements = 0;
  for (const Input& input : inputs) {
    const auto n = static_cast<double>(input.rows * input.cols);
    elements += n;
    stored += n * bits_of(input.dtype) / 8;
  }
  const double d = subject.parameters.at("width");
  const double matrices = static_cast<double>(inputs.size()) / 2, one = elements / matrices / 2,
               neurons = one / d;
  const bool turned = subject.parameters.at("change") == static_cast<double>(StreamChange::orthogonal);
  // Scores of two kinds in single precision; of every weight two Gram matrices, two products and two
  // decompositions.
  const double products =
      2 * one * neurons + matrices * one * d * (turned ? 10 : 6) + matrices * 8 * d * d * d;
  const double side = static_cast<double>(tile_side);
  // A product of matrices is ten times as fast as the plain loops that costs are counted in.
  return {.flops = products / 10 + 30 * elements,
          .memory = static_cast<std::uint64_t>(stored),
          .working = static_cast<std::uint64_t>(8 * (6 * one + 6 * d * d + side * side)),
          .decomposition = {}};
}

std::unique_ptr<Measurement> begin_aligned_neurons(const Subject& subject, std::span<const Input> inputs,
                                                   std::span<const std::vector<double>> companions) {
  return std::make_unique<NeuronsMeasurement>(subject, inputs, companions);
}

}  // namespace stemma
