// What are neurons without weights, as answers that are drawn at will?
#pragma once
#include <algorithm>
#include <bit>
#include <numeric>
#include <random>
#include <vector>

#include "analyzers/packed_bytes.hpp"
#include "io/archive/neuron_sketch.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma::neuron_toy {

using Random = std::mt19937_64;
using Rows = std::vector<std::vector<double>>;

struct Block {
  int layer = 0, expert = -1;
  Rows first, second;  ///< one row per neuron
  std::vector<std::uint32_t> unit;
};

struct Toy {
  std::size_t anchors = 64;
  std::uint32_t units = 64;
  std::vector<Block> blocks;
};

inline Rows gaussian_rows(std::size_t rows, std::size_t columns, Random& random) {
  std::normal_distribution<double> normal;
  Rows out(rows, std::vector<double>(columns));
  for (auto& row : out)
    for (double& x : row) x = normal(random);
  return out;
}

/// `kept` of `units` places, in any order.
inline std::vector<std::uint32_t> places(std::size_t kept, std::uint32_t units, Random& random) {
  std::vector<std::uint32_t> all(units);
  std::iota(all.begin(), all.end(), 0U);
  std::ranges::shuffle(all, random);
  all.resize(kept);
  return all;
}

/// Layers with `experts` MLPs each (0: one, dense), `neurons` of `units` kept.
inline Toy toy(unsigned seed, int layers, std::size_t neurons, std::uint32_t units, int experts = 0) {
  Random random(seed);
  Toy out;
  out.units = units;
  for (int layer = 0; layer < layers; ++layer)
    for (int e = 0; e < std::max(experts, 1); ++e)
      out.blocks.push_back({layer, experts == 0 ? -1 : e, gaussian_rows(neurons, out.anchors, random),
                            gaussian_rows(neurons, out.anchors, random), places(neurons, units, random)});
  return out;
}

/// Every answer plus noise of this many standard deviations.
inline Toy with_noise(Toy out, double noise, unsigned seed) {
  Random random(seed);
  std::normal_distribution<double> normal(0, noise);
  for (Block& block : out.blocks)
    for (Rows* rows : {&block.first, &block.second})
      for (auto& row : *rows)
        for (double& x : row) x += normal(random);
  return out;
}

/// Neurons in another order in the list, at other places, with other signs of the second answers.
inline Toy with_other_neurons(Toy out, unsigned seed) {
  Random random(seed);
  for (Block& block : out.blocks) {
    const auto order = places(block.unit.size(), static_cast<std::uint32_t>(block.unit.size()), random);
    Block moved = block;
    moved.unit = places(block.unit.size(), out.units, random);
    for (std::size_t i = 0; i < order.size(); ++i) {
      moved.first[i] = block.first[order[i]];
      moved.second[i] = block.second[order[i]];
      if (random() % 2)
        for (double& x : moved.second[i]) x = -x;
    }
    block = std::move(moved);
  }
  return out;
}

/// Some blocks, as layers 0, 1, 2, ...
inline Toy with_layers(const Toy& toy, const std::vector<std::size_t>& kept) {
  Toy out = toy;
  out.blocks.clear();
  for (const std::size_t i : kept) {
    out.blocks.push_back(toy.blocks.at(i));
    out.blocks.back().layer = static_cast<int>(out.blocks.size()) - 1;
  }
  return out;
}

inline std::vector<std::int8_t> as_answers(const Rows& rows) {
  std::vector<std::int8_t> out;
  for (const auto& row : rows) {
    const auto bytes = as_bytes_of_largest(row);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

inline NeuronSketch sketch_of(const Toy& toy, bool gated = true) {
  NeuronSketch out;
  for (std::size_t t = 0; t < toy.anchors; ++t) out.keys.push_back(1000 * (t + 1));
  out.by_string = static_cast<std::uint32_t>(toy.anchors);
  out.vocabulary = 500;
  for (const Block& block : toy.blocks) {
    NeuronBlock& made = out.blocks.emplace_back();
    made.layer = block.layer;
    made.expert = block.expert;
    made.units = toy.units;
    made.gated = gated;
    made.unit = block.unit;
    made.norm_first.assign(block.unit.size(), 1);
    made.norm_product.assign(block.unit.size(), 1);
    made.first = as_answers(block.first);
    made.second = as_answers(block.second);
  }
  return out;
}

/// A sketch of independent bytes that are nearly normal: a sum of 64 coins. Soon made.
inline NeuronSketch coins(Random& random, int layers, std::size_t neurons, std::uint32_t units,
                          std::size_t anchors) {
  Toy frame;
  frame.anchors = anchors;
  frame.units = units;
  for (int layer = 0; layer < layers; ++layer)
    frame.blocks.push_back({layer, -1, {}, {}, places(neurons, units, random)});
  NeuronSketch out = sketch_of(frame);
  for (NeuronBlock& block : out.blocks)
    for (auto* answers : {&block.first, &block.second}) {
      answers->resize(neurons * anchors);
      for (auto& x : *answers) x = static_cast<std::int8_t>(std::popcount(random()) - 32);
    }
  return out;
}

/// Attention readings for every layer: what both models share, plus parts of their own.
inline void add_attention(NeuronSketch& sketch, int layers, unsigned common_seed, unsigned own_seed,
                          double own) {
  const std::size_t side = attention_anchors(sketch.keys.size(), sketch.by_string).size();
  Random shared(common_seed), alone(own_seed);
  std::normal_distribution<double> normal;
  for (int layer = 0; layer < layers; ++layer) {
    std::vector<double> reading(side * side);
    for (double& x : reading) x = normal(shared);
    normal.reset();
    for (double& x : reading) x += own * normal(alone);
    normal.reset();
    sketch.attention.push_back({layer, as_bytes_of_largest(reading)});
  }
}

}  // namespace stemma::neuron_toy
