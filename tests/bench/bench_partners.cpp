// How long does one pair of sketches take whose blocks have to be searched for?
//   bench_partners [layers = 48] [experts = 64]
//
// A mixture of experts of 16 kept neurons of 1,408 each and 192 anchors, beside itself retrained with experts
// in another order, beside the dense model that its experts were made of, and beside a stranger. Prints JSON:
// seconds of each, and the share of experts whose block of origin was found. Fails where fewer than 99 % are
// found, or any between strangers.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

#include "analyzers/neuron_agreement.hpp"
#include "io/model/anchor_tokens.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

using Random = std::mt19937_64;
constexpr std::size_t anchors = 192, by_string = 128, of_expert = 16, of_dense = 128;

std::vector<std::int8_t> noise(std::size_t n, Random& random) {
  std::normal_distribution<double> normal(0, 40);
  std::vector<std::int8_t> out(n);
  for (std::int8_t& x : out) x = static_cast<std::int8_t>(std::clamp(normal(random), -127.0, 127.0));
  return out;
}

void disturb(std::vector<std::int8_t>& bytes, Random& random) {
  std::normal_distribution<double> normal(0, 20);
  for (std::int8_t& x : bytes)
    x = static_cast<std::int8_t>(std::clamp(static_cast<double>(x) + normal(random), -127.0, 127.0));
}

NeuronBlock block(int layer, int expert, std::size_t neurons, std::uint32_t units, Random& random) {
  NeuronBlock out;
  out.layer = layer;
  out.expert = expert;
  out.units = units;
  std::vector<std::uint32_t> places(units);
  std::iota(places.begin(), places.end(), 0U);
  std::ranges::shuffle(places, random);
  out.unit.assign(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(neurons));
  out.norm_first = out.norm_product = std::vector<double>(neurons, 1);
  out.first = noise(neurons * anchors, random);
  out.second = noise(neurons * anchors, random);
  return out;
}

NeuronSketch frame(int layers, Random& random) {
  NeuronSketch out;
  for (std::size_t i = 0; i < anchors; ++i) out.keys.push_back(i);
  out.by_string = by_string;
  out.vocabulary = 151'936;
  const std::size_t side = attention_anchors(anchors, by_string).size();
  for (int layer = 0; layer < layers; ++layer) out.attention.push_back({layer, noise(side * side, random)});
  return out;
}

NeuronSketch sparse(int layers, int experts, Random& random) {
  NeuronSketch out = frame(layers, random);
  for (int layer = 0; layer < layers; ++layer)
    for (int e = 0; e < experts; ++e) out.blocks.push_back(block(layer, e, of_expert, 1'408, random));
  return out;
}

/// Everything disturbed, and the experts of every layer turned by its number.
NeuronSketch retrained(NeuronSketch out, int experts, Random& random) {
  for (auto& one : out.blocks) disturb(one.first, random), disturb(one.second, random);
  for (auto& one : out.attention) disturb(one.reading, random);
  for (std::size_t first = 0; first < out.blocks.size(); first += static_cast<std::size_t>(experts)) {
    const auto begin = out.blocks.begin() + static_cast<std::ptrdiff_t>(first);
    std::rotate(begin, begin + (begin->layer + 1) % experts, begin + experts);
    for (int e = 0; e < experts; ++e) begin[e].expert = e;
  }
  return out;
}

/// A dense model.
NeuronSketch dense(int layers, Random& random) {
  NeuronSketch out = frame(layers, random);
  for (int layer = 0; layer < layers; ++layer)
    out.blocks.push_back(block(layer, -1, of_dense, 5'632, random));
  return out;
}

/// Experts with a quarter of the neurons of the dense MLP each, drawn from its kept ones.
NeuronSketch upcycled(const NeuronSketch& source, int experts, Random& random) {
  NeuronSketch out = source;
  out.blocks.clear();
  for (const NeuronBlock& from : source.blocks)
    for (int e = 0; e < experts; ++e) {
      NeuronBlock to = block(from.layer, e, of_expert, 1'408, random);
      std::vector<std::size_t> chosen(of_dense);
      std::iota(chosen.begin(), chosen.end(), std::size_t{0});
      std::ranges::shuffle(chosen, random);
      for (std::size_t n = 0; n < of_expert; ++n) {
        const auto at = static_cast<std::ptrdiff_t>(chosen[n] * anchors),
                   width = static_cast<std::ptrdiff_t>(anchors);
        const auto target = static_cast<std::ptrdiff_t>(n * anchors);
        std::copy_n(from.first.begin() + at, width, to.first.begin() + target);
        std::copy_n(from.second.begin() + at, width, to.second.begin() + target);
      }
      disturb(to.first, random), disturb(to.second, random);
      out.blocks.push_back(std::move(to));
    }
  return out;
}

struct Timed {
  double seconds = 0;
  NeuronAgreement found;
};

Timed timed(const NeuronSketch& a, const NeuronSketch& b) {
  const Stopwatch watch;
  Timed out;
  out.found = compare_neurons(a, b);
  out.seconds = watch.seconds();
  return out;
}

/// Share of `blocks` that a match finds where `origin` says.
template <class Origin>
double right(const NeuronAgreement& found, std::size_t blocks, Origin origin) {
  const auto hits = std::ranges::count_if(found.map.matches, origin);
  return static_cast<double>(hits) / static_cast<double>(blocks);
}

int main_of(int argc, char** argv) {
  const int layers = argc > 1 ? std::atoi(argv[1]) : 48, experts = argc > 2 ? std::atoi(argv[2]) : 64;
  Random random(1);
  const NeuronSketch base = sparse(layers, experts, random), source = dense(layers, random);
  const Timed itself = timed(base, retrained(base, experts, random)),
              of_source = timed(source, upcycled(source, experts, random)),
              stranger = timed(base, sparse(layers, experts, random)),
              other_depth = timed(base, sparse(layers - 1, experts, random));
  const double again = right(itself.found, base.blocks.size(), [&](const BlockMatch& match) {
    return match.a.layer == match.b.layer && match.a.expert == (match.b.expert + match.a.layer + 1) % experts;
  });
  const double grown = right(of_source.found, base.blocks.size(),
                             [](const BlockMatch& match) { return match.a.layer == match.b.layer; });
  const std::size_t wrong = stranger.found.map.matches.size() + other_depth.found.map.matches.size();
  fmt::print(
      "{{\"layers\": {}, \"experts\": {}, \"retrained_seconds\": {:.2f}, \"retrained_found\": {:.4f}, "
      "\"dense_source_seconds\": {:.2f}, \"dense_source_found\": {:.4f}, \"stranger_seconds\": {:.2f}, "
      "\"stranger_of_other_depth_seconds\": {:.2f}, \"strangers_matched\": {}}}\n",
      layers, experts, itself.seconds, again, of_source.seconds, grown, stranger.seconds, other_depth.seconds,
      wrong);
  return again >= 0.99 && grown >= 0.99 && wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) { return stemma::main_of(argc, argv); }
