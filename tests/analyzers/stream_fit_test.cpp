// Is a rotation found from neurons alone, and only where there is one?
#include "analyzers/stream_fit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "tests/analyzers/toy_model.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t stream_width = 40, fit_neurons = 160;
using Values = std::vector<double>;

/// Rows of gate, up and down of one layer.
struct FitLayer {
  Values gate, up, down;
};

/// Neurons whose three rows have something in common, as training leaves them, and sizes of their own.
FitLayer trained(unsigned seed) {
  const Values common = toy::gaussian(fit_neurons * stream_width, 1, seed);
  FitLayer out;
  for (unsigned k = 0; Values * rows : {&out.gate, &out.up, &out.down}) {
    *rows = toy::gaussian(fit_neurons * stream_width, 1, seed + ++k);
    const Values size = toy::gaussian(fit_neurons, 0.5, seed + 10 + k),
                 share = toy::gaussian(fit_neurons, 1, seed + 20 + k);
    for (std::uint64_t i = 0; i < fit_neurons * stream_width; ++i)
      (*rows)[i] = std::exp(size[i / stream_width]) * ((*rows)[i] + share[i / stream_width] * common[i]);
  }
  return out;
}

/// Haar-like: the orthogonal matrix nearest to a normal one, row-major.
Values rotation(unsigned seed) {
  Values q = toy::gaussian(stream_width * stream_width, 1, seed);
  polar_factor(q, stream_width);
  return q;
}

/// x Q for each row (q, column-major to dgemm, is Q row-major), neurons in another order, up and down
/// turned and scaled, the stream by `scale`, and noise of `noise` times each entry's typical size.
FitLayer changed(const FitLayer& layer, const Values& q, double scale, double noise, unsigned seed) {
  FitLayer out;
  for (unsigned k = 0; Values FitLayer::*rows : {&FitLayer::gate, &FitLayer::up, &FitLayer::down}) {
    Values turned(fit_neurons * stream_width), &target = out.*rows;
    dgemm(Transpose::no, Transpose::no, stream_width, fit_neurons, stream_width, 1, q.data(), stream_width,
          (layer.*rows).data(), stream_width, 0, turned.data(), stream_width);
    const Values disturbance = toy::gaussian(fit_neurons * stream_width, 1, seed + ++k);
    target.resize(fit_neurons * stream_width);
    for (std::uint64_t i = 0; i < fit_neurons; ++i) {
      const std::uint64_t from = (7 * i + 3) % fit_neurons;
      const double sign = i % 3 == 0 ? -1 : 1, factor = 0.5 + static_cast<double>(i % 5);
      const double turn = k == 1 ? 1 : k == 2 ? sign * factor : sign * scale / factor;
      double length = 0;
      for (std::uint64_t j = 0; j < stream_width; ++j)
        length += turned[from * stream_width + j] * turned[from * stream_width + j];
      for (std::uint64_t j = 0; j < stream_width; ++j)
        target[i * stream_width + j] =
            turn * (turned[from * stream_width + j] +
                    noise * std::sqrt(length / stream_width) * disturbance[i * stream_width + j]);
    }
  }
  return out;
}

NeuronRows rows_of(const Values& values) {
  NeuronRows rows;
  rows.width = stream_width;
  rows.lengths.resize(values.size() / stream_width);
  set_values(rows, values);
  return rows;
}

std::vector<NeuronDirections> directions(const std::vector<FitLayer>& layers,
                                         std::size_t most = fit_neurons) {
  std::vector<NeuronDirections> out;
  for (const FitLayer& layer : layers)
    out.push_back(
        neuron_directions(rows_of(layer.gate), rows_of(layer.up), rows_of(layer.down), most).value());
  return out;
}

double relative_distance(const Values& x, const Values& y) {
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]), all += y[i] * y[i];
  return std::sqrt(sum / all);
}

TEST(StreamFit, AnExactChangeIsFoundToRounding) {
  const std::vector<FitLayer> base = {trained(1), trained(2)};
  const Values q = rotation(3);
  const std::vector<FitLayer> copy = {changed(base[0], q, 3, 0, 4), changed(base[1], q, 3, 0, 5)};
  const auto fit = fit_stream(directions(base), directions(copy));
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->cosine, 1, 1e-6);  // scores are single precision
  EXPECT_NEAR(fit->scale, 3, 1e-12);
  EXPECT_LT(relative_distance(fit->rotation, q), 1e-10);
}

TEST(StreamFit, ScalarsAreThoseOfTheFormulasAndDoNotMove) {
  const FitLayer layer = trained(7);
  const NeuronDirections found = directions({layer}).front();
  const NeuronDirections moved = directions({changed(layer, rotation(8), 2, 0, 9)}).front();
  ASSERT_EQ(found.size(), fit_neurons);
  const auto length = [](std::span<const double> x) {
    double sum = 0;
    for (const double v : x) sum += v * v;
    return std::sqrt(sum);
  };
  for (std::size_t i = 0; i < fit_neurons; ++i) {  // both are ordered by a size that no change moves
    for (std::size_t k = 0; k < NeuronDirections::invariants; ++k)
      EXPECT_NEAR(found.scalars[i][k], moved.scalars[i][k], 1e-9) << i << " " << k;
    double cosine = 0;
    for (std::uint64_t j = 0; j < stream_width; ++j)
      cosine += found.gate[i * stream_width + j] * found.up[i * stream_width + j];
    EXPECT_GE(cosine, 0);
    EXPECT_NEAR(found.scalars[i][2], std::sqrt(double{stream_width}) * cosine, 1e-12);
    EXPECT_NEAR(length(std::span(found.down).subspan(i * stream_width, stream_width)), 1, 1e-12);
  }
}

TEST(StreamFit, NoiseLeavesTheMapAndStrangersHaveNone) {
  const std::vector<FitLayer> base = {trained(11), trained(12)};
  const Values q = rotation(13);
  const std::vector<FitLayer> child = {changed(base[0], q, 1, 0.3, 14), changed(base[1], q, 1, 0.3, 17)};
  const auto near = fit_stream(directions(base, 100), directions(child, 100));
  const auto far = fit_stream(directions(base, 100), directions({trained(21), trained(22)}, 100));
  ASSERT_TRUE(near && far);
  EXPECT_GT(near->cosine, 0.8);
  EXPECT_LT(far->cosine, 0.6);
}

TEST(StreamFit, WhatHasNoDirectionIsLeftOut) {
  FitLayer layer = trained(31);
  std::fill_n(layer.up.begin(), stream_width, 0.0);
  std::fill_n(layer.down.begin() + 2 * stream_width, stream_width, 0.0);
  EXPECT_EQ(directions({layer}).front().size(), fit_neurons - 2);
  EXPECT_EQ(directions({layer}, 10).front().size(), 10);
  layer.gate[5] = NAN;
  EXPECT_FALSE(neuron_directions(rows_of(layer.gate), rows_of(layer.up), rows_of(layer.down), fit_neurons));
  const FitLayer empty{Values(stream_width), Values(stream_width), Values(stream_width)};
  EXPECT_FALSE(fit_stream(directions({empty}), directions({empty})));
  EXPECT_THROW((void)fit_stream(directions({trained(1)}), {}), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
