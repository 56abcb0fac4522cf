// Five scalars of a neuron are enough to begin with; every rotation pairs better, and every pair rotates
// better.
#include "analyzers/stream_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/numerics/assignment.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/origin_alignment.hpp"

namespace stemma {

namespace {

constexpr int most_rounds = 12;

double product(std::span<const double> x, std::span<const double> y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

using Pairs = std::vector<std::int32_t>;  // the candidate's neuron of each of the base's, or unmatched

/// Greatest similarity of scalars is least squared distance.
Pairs pair_by_scalars(const NeuronDirections& base, const NeuronDirections& candidate) {
  std::vector<float> scores;
  for (const auto& x : base.scalars)
    for (const auto& y : candidate.scalars) {
      double distance = 0;
      for (std::size_t k = 0; k < x.size(); ++k) distance += (x[k] - y[k]) * (x[k] - y[k]);
      scores.push_back(static_cast<float>(-distance));
    }
  return best_assignment({scores, base.size(), candidate.size(), candidate.size()}).column_of_row;
}

/// Sum over layers and pairs of x_b^T x_c, of gates, ups and downs: column-major.
std::vector<double> cross_products(std::span<const NeuronDirections> base,
                                   std::span<const NeuronDirections> candidate,
                                   std::span<const Pairs> pairs) {
  const std::uint64_t d = base.front().width;
  std::vector<double> sum(d * d);
  for (std::size_t layer = 0; layer < base.size(); ++layer)
    for (const auto rows : {&NeuronDirections::gate, &NeuronDirections::up, &NeuronDirections::down}) {
      std::vector<double> x, y;
      for (std::size_t i = 0; i < pairs[layer].size(); ++i) {
        if (pairs[layer][i] == unmatched) continue;
        const auto from = [&](const std::vector<double>& all, std::size_t at, std::vector<double>& to) {
          to.insert(to.end(), all.begin() + static_cast<std::ptrdiff_t>(at * d),
                    all.begin() + static_cast<std::ptrdiff_t>((at + 1) * d));
        };
        from(base[layer].*rows, i, x);
        from(candidate[layer].*rows, static_cast<std::size_t>(pairs[layer][i]), y);
      }
      dgemm(Transpose::no, Transpose::yes, d, d, x.size() / d, 1, x.data(), d, y.data(), d, 1, sum.data(), d);
    }
  return sum;
}

/// Cosines of gates, ups and downs summed, the base's turned by the map: n_b x n_c.
std::vector<float> scores_of(const NeuronDirections& base, const NeuronDirections& candidate,
                             const StreamAlignment& map) {
  const std::uint64_t d = base.width;
  std::vector<double> sum(base.size() * candidate.size());
  for (const auto rows : {&NeuronDirections::gate, &NeuronDirections::up, &NeuronDirections::down}) {
    const std::vector<double> turned = turned_reader(map, base.*rows, base.size());
    dgemm(Transpose::yes, Transpose::no, candidate.size(), base.size(), d, 1, (candidate.*rows).data(), d,
          turned.data(), d, 1, sum.data(), candidate.size());
  }
  return {sum.begin(), sum.end()};
}

StreamAlignment alignment_by(std::vector<double> products, std::uint64_t d) {
  StreamAlignment map{.width = d, .source = {}, .sign = {}, .rotation = {}};
  if (polar_factor(products, d).empty()) return map;
  map.change = StreamChange::orthogonal;
  map.rotation.resize(d * d);
  for (std::uint64_t i = 0; i < d; ++i)
    for (std::uint64_t j = 0; j < d; ++j) map.rotation[i * d + j] = products[i + j * d];
  return map;
}

double scale_of(std::span<const NeuronDirections> base, std::span<const NeuronDirections> candidate,
                std::span<const Pairs> pairs) {
  std::vector<double> ratios;
  for (std::size_t layer = 0; layer < base.size(); ++layer)
    for (std::size_t i = 0; i < pairs[layer].size(); ++i)
      if (pairs[layer][i] != unmatched)
        ratios.push_back(candidate[layer].sizes[static_cast<std::size_t>(pairs[layer][i])] /
                         base[layer].sizes[i]);
  return median(std::move(ratios));
}

}  // namespace

std::optional<NeuronDirections> neuron_directions(const NeuronRows& gate, const NeuronRows& up,
                                                  const NeuronRows& down, std::size_t most) {
  const std::array all{&gate, &up, &down};
  std::vector<double> omega(gate.neurons(), 1);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < omega.size(); ++i) {
    for (const NeuronRows* rows : all) omega[i] *= rows->lengths[i];
    if (!std::isfinite(omega[i])) return std::nullopt;
    if (omega[i] > 0) kept.push_back(i);
  }
  std::ranges::stable_sort(kept, std::greater(), [&](std::size_t i) { return omega[i]; });
  if (kept.size() > most) kept.resize(most);
  NeuronDirections out{.width = gate.width, .gate = {}, .up = {}, .down = {}, .sizes = {}, .scalars = {}};
  const double root = std::sqrt(static_cast<double>(gate.width));
  std::vector<double> gates, sizes;  // logarithms
  for (const std::size_t i : kept) {
    const auto cosine = [&](const NeuronRows& x, const NeuronRows& y) {
      return product(x.row(i), y.row(i)) / (x.lengths[i] * y.lengths[i]);
    };
    const double gate_up = cosine(gate, up), sign = gate_up < 0 ? -1 : 1;
    const auto add = [&](std::vector<double>& to, const NeuronRows& rows, double turn) {
      for (const double value : rows.row(i)) to.push_back(turn * value / rows.lengths[i]);
    };
    add(out.gate, gate, 1);
    add(out.up, up, sign);
    add(out.down, down, sign);
    out.sizes.push_back(up.lengths[i] * down.lengths[i]);
    gates.push_back(3 * std::log(gate.lengths[i]));
    sizes.push_back(3 * std::log(out.sizes.back()));
    out.scalars.push_back({gates.back(), sizes.back(), root * std::abs(gate_up),
                           root * sign * cosine(gate, down), root * cosine(up, down)});
  }
  const double middle_gate = median(std::move(gates)), middle_size = median(std::move(sizes));
  for (auto& scalars : out.scalars) {
    scalars[0] -= middle_gate;
    scalars[1] -= middle_size;
  }
  return out;
}

std::optional<StreamFit> fit_stream(std::span<const NeuronDirections> base,
                                    std::span<const NeuronDirections> candidate) {
  if (base.size() != candidate.size()) throw std::invalid_argument("both models need the same layers");
  if (base.empty()) return std::nullopt;
  const std::uint64_t d = base.front().width;
  std::vector<Pairs> pairs;
  for (std::size_t layer = 0; layer < base.size(); ++layer) {
    if (base[layer].width != d || candidate[layer].width != d)
      throw std::invalid_argument("streams of different width have no rotation between them");
    if (base[layer].size() == 0 || candidate[layer].size() == 0) return std::nullopt;
    pairs.push_back(pair_by_scalars(base[layer], candidate[layer]));
  }
  StreamFit fit;
  for (bool settled = false; !settled && fit.rounds < most_rounds; ++fit.rounds) {
    StreamAlignment map = alignment_by(cross_products(base, candidate, pairs), d);
    if (map.change == StreamChange::unaligned) return std::nullopt;
    double cosines = 0, counted = 0;
    settled = true;
    for (std::size_t layer = 0; layer < base.size(); ++layer) {
      const std::vector<float> scores = scores_of(base[layer], candidate[layer], map);
      const std::size_t columns = candidate[layer].size();
      Assignment found = best_assignment({scores, base[layer].size(), columns, columns});
      cosines += found.total / 3;
      counted += static_cast<double>(std::min(base[layer].size(), columns));
      settled &= found.column_of_row == pairs[layer];
      pairs[layer] = std::move(found.column_of_row);
    }
    fit.cosine = cosines / counted;
    fit.rotation = std::move(map.rotation);
  }
  fit.scale = scale_of(base, candidate, pairs);
  return fit;
}

}  // namespace stemma
