// Does the difference of circuits show the rank of an update?
#include "analyzers/origin_circuit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/lapack.hpp"
#include "analyzers/origin_rounding.hpp"
#include "tests/analyzers/origin_toy.hpp"

namespace stemma {
namespace {

using origin_toy::Disguise;
using origin_toy::Layer;
using origin_toy::RowMajor;
using origin_toy::with_adapters;

CircuitReading read(const Layer& base, const Layer& candidate, Dtype dtype,
                    const OriginOptions& options = {}) {
  return read_circuit(base.shape, base.view(), candidate.view(),
                      ValueOutputRounding{{dtype, {}}, {dtype, {}}}, options)
      .value();
}

std::vector<double> formed(const Layer& base, const Layer& candidate) {
  RowMajor difference = candidate.circuit() - base.circuit();
  return dense_singular_values({difference.data(), static_cast<std::size_t>(difference.size())}, 256, 256);
}

Layer with_gains(Layer layer, unsigned seed) {
  const std::vector<double> some = toy::gaussian(layer.shape.width, 0.2, seed, 1);
  layer.gain = Eigen::Map<const Eigen::VectorXd>(some.data(), layer.gain.size());
  return layer;
}

TEST(OriginCircuit, AgreesWithTheFormedMatrix) {
  const Layer base = with_gains(origin_toy::base(), 5);
  for (const Layer& candidate :
       {with_gains(origin_toy::base(2), 6), with_gains(with_adapters(base, 1, 1), 7)}) {
    const CircuitReading reading = read(base, candidate, Dtype::bf16);
    const std::vector<double> expected = formed(base, candidate);
    ASSERT_EQ(reading.values.size(), 256U);
    for (std::size_t i = 0; i < 256; ++i)
      EXPECT_NEAR(reading.values[i], expected[i], 1e-13 * expected[0]) << i;
    const RowMajor b = base.circuit(), c = candidate.circuit();
    const double mean = std::sqrt((b.squaredNorm() + c.squaredNorm()) / 2);
    EXPECT_NEAR(reading.delta, (c - b).norm() / mean, 1e-12);
    EXPECT_NEAR(reading.cosine, b.cwiseProduct(c).sum() / (b.norm() * c.norm()), 1e-12);
  }
}

TEST(OriginCircuit, WideHeadsAreAppliedAndNotFormed) {
  const AttentionShape every_head = {256, 8, 8, 32};
  const Layer base = origin_toy::base(3, every_head);
  const Layer candidate = with_adapters(base, 1, 1).stored(Dtype::bf16);
  const CircuitReading reading = read(base, candidate, Dtype::bf16);
  const std::vector<double> expected = formed(base, candidate);
  ASSERT_EQ(reading.values.size(), 192U + 16U);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(reading.values[i], expected[i], 1e-12);
  for (std::size_t i = 16; i < 150; ++i) EXPECT_NEAR(reading.values[i], expected[i], 0.01 * expected[i]) << i;
  const RowMajor b = base.circuit(), c = candidate.circuit();
  EXPECT_NEAR(reading.delta, (c - b).norm() / std::sqrt((b.squaredNorm() + c.squaredNorm()) / 2), 1e-8);
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
}

TEST(OriginCircuit, NarrowBlocksFindTheSame) {
  const AttentionShape every_head = {256, 8, 8, 32};
  const Layer base = origin_toy::base(3, every_head);
  const Layer candidate = with_adapters(base, 1, 1).stored(Dtype::bf16);
  const CircuitReading reading = read(base, candidate, Dtype::bf16, {.max_rank = 24});
  const std::vector<double> expected = formed(base, candidate);
  ASSERT_EQ(reading.values.size(), 40U);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(reading.values[i], expected[i], 1e-6 * expected[i]) << i;
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
}

TEST(OriginCircuit, NullIsThatOfTheFormedNoise) {
  const Layer layer = with_gains(origin_toy::base(), 4);
  double expected = 0;
  for (std::uint32_t draw = 0; draw < 3; ++draw) {
    Layer noise = layer;
    const auto replace = [&](RowMajor& w, std::uint32_t tensor) {
      const std::vector<double> drawn =
          rounding_noise(Dtype::bf16, origin_toy::elements(w), {.seed = 6, .tensor = tensor, .draw = draw});
      w = Eigen::Map<const RowMajor>(drawn.data(), w.rows(), w.cols());
    };
    Layer other = layer;
    replace(noise.value, origin_value_noise);
    replace(other.output, origin_output_noise);
    RowMajor sum = noise.circuit() + other.circuit();
    expected = std::max(
        expected, dense_singular_values({sum.data(), static_cast<std::size_t>(sum.size())}, 256, 256)[0]);
  }
  EXPECT_NEAR(circuit_noise_edge(layer.shape, layer.view(), {}, 6), expected, 1e-6 * expected);
  EXPECT_NEAR(circuit_noise_edge(layer.shape, layer.view(), {}, 1), expected, 0.1 * expected);
  const auto halved = [](const RowMajor& w) {  // of the steps that BF16 has there
    std::vector<double> halves;
    for (const double x : origin_toy::elements(w)) halves.push_back(rounding_step(Dtype::bf16, x) / 2);
    return halves;
  };
  const std::vector<double> of_value = halved(layer.value), of_output = halved(layer.output);
  EXPECT_EQ(
      circuit_noise_edge(layer.shape, layer.view(), {{Dtype::f32, of_value}, {Dtype::f32, of_output}}, 1),
      circuit_noise_edge(layer.shape, layer.view(), {}, 1));
  EXPECT_NE(circuit_noise_edge(layer.shape, layer.view(), {}, 1),
            circuit_noise_edge(layer.shape, layer.view(), {}, 2));
  EXPECT_NEAR(circuit_noise_edge(layer.shape, layer.view(), {{Dtype::f32, {}}, {Dtype::f32, {}}}, 1) /
                  circuit_noise_edge(layer.shape, layer.view(), {{Dtype::bf16, {}}, {Dtype::bf16, {}}}, 1),
              0x1p-16, 1e-12);
}

TEST(OriginCircuit, ExactArithmetic) {
  const Layer base = origin_toy::base();
  for (const auto& [on_value, on_output, rank] : {std::array{1, 0, 8}, {0, 1, 8}, {1, 1, 16}}) {
    const CircuitReading reading = read(base, with_adapters(base, on_value, on_output), Dtype::f64);
    EXPECT_EQ(reading.rank.rank, static_cast<std::uint64_t>(rank));
    EXPECT_EQ(reading.rank.significant, static_cast<std::uint64_t>(rank));
    EXPECT_GT(reading.rank.ratio, 1e12);
    EXPECT_EQ(reading.label, OriginLabel::low_rank);
  }
}

TEST(OriginCircuit, UnrelatedLayersHaveNoGap) {
  const Layer base = origin_toy::base();
  for (unsigned seed = 4; seed < 8; ++seed) {
    const CircuitReading reading = read(base, origin_toy::base(seed), Dtype::bf16);
    EXPECT_LT(reading.rank.ratio, 1.5);
    EXPECT_EQ(reading.label, OriginLabel::unrelated_here);
    EXPECT_NEAR(reading.delta, std::sqrt(2.0), 0.01);
    EXPECT_NEAR(reading.cosine, 0, 0.014);
  }
}

TEST(OriginCircuit, StoredUpdateHasTwiceItsRank) {
  const Layer base = origin_toy::base();
  const CircuitReading reading = read(base, with_adapters(base, 1, 1).stored(Dtype::bf16), Dtype::bf16);
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_EQ(reading.rank.significant, 16U);
  EXPECT_NEAR(reading.rank.ratio, 15, 3);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
}

TEST(OriginCircuit, TheCapAvoidsTheTrapOfSharedValues) {
  const Layer base = origin_toy::base();
  const CircuitReading reading = read(base, with_adapters(base, 1, 0).stored(Dtype::bf16), Dtype::bf16);
  EXPECT_EQ(reading.rank.limit, 96U);
  EXPECT_EQ(reading.rank.rank, 8U);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
  const RankReading trapped = read_rank(reading.values, reading.rank.noise_edge, 255);
  EXPECT_EQ(trapped.rank, 128U);
  EXPECT_GT(trapped.ratio, 1e10);
}

TEST(OriginCircuit, DisguisesChangeNothing) {
  const Layer base = origin_toy::base(), child = with_adapters(base, 1, 1);
  for (const Disguise disguise : origin_toy::disguises) {
    const CircuitReading reading = read(base, disguised(child, disguise).stored(Dtype::bf16), Dtype::bf16);
    EXPECT_EQ(reading.rank.rank, 16U);
    EXPECT_NEAR(reading.rank.ratio, 15, 3);
    EXPECT_EQ(reading.label, OriginLabel::low_rank);
  }
  const CircuitReading uneven =
      read(base, disguised(child, Disguise::uneven_scaling).stored(Dtype::bf16), Dtype::bf16);
  EXPECT_EQ(uneven.rank.rank, 16U);
  EXPECT_EQ(uneven.label, OriginLabel::low_rank);
}

TEST(OriginCircuit, AbsorbedGainsChangeNothing) {
  const Layer base = origin_toy::base();
  Layer child = with_gains(with_adapters(base, 1, 1), 8);
  child.value = child.value * child.gain.cwiseInverse().asDiagonal();
  const CircuitReading reading = read(base, child.stored(Dtype::bf16), Dtype::bf16);
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
}

TEST(OriginCircuit, DisguisedCopiesAreCopies) {
  const Layer base = origin_toy::base();
  EXPECT_EQ(read(base, base, Dtype::bf16).label, OriginLabel::identical);
  EXPECT_EQ(read(base, base, Dtype::f64).label, OriginLabel::identical);
  EXPECT_NEAR(read(base, base, Dtype::bf16).cosine, 1, 1e-14);
  for (const Disguise disguise : origin_toy::disguises)
    EXPECT_EQ(read(base, disguised(base, disguise).stored(Dtype::bf16), Dtype::bf16).label,
              OriginLabel::identical);
}

TEST(OriginCircuit, FullRankUpdatesAreNoAdapters) {
  const Layer base = origin_toy::base();
  const auto changed = [&](double size) {
    Layer out = base;
    out.value += size * 0.0248 * origin_toy::normal(128, 256, 51);
    out.output += size * 0.0248 * origin_toy::normal(256, 256, 52);
    return read(base, out.stored(Dtype::bf16), Dtype::bf16);
  };
  EXPECT_EQ(changed(0.2).label, OriginLabel::full_rank_close);
  EXPECT_EQ(changed(0.6).label, OriginLabel::full_rank_far);
  EXPECT_LT(changed(0.2).rank.ratio, 2);
}

TEST(OriginCircuit, ProbesShowTheSameRank) {  // D = -dM X for n = d/2 inputs
  const Layer base = origin_toy::base();
  const RowMajor seen = (with_adapters(base, 1, 1).stored(Dtype::bf16).circuit() - base.circuit()) *
                        origin_toy::normal(256, 128, 61);
  std::vector<double> copy(seen.data(), seen.data() + seen.size());
  const RankReading reading = read_rank(dense_singular_values(copy, 128, 256), 0, 96);
  EXPECT_EQ(reading.rank, 16U);
  EXPECT_NEAR(reading.ratio, 15, 3);
}

TEST(OriginCircuit, InputsThatCannotBeRead) {
  const Layer base = origin_toy::base();
  Layer bad = base;
  bad.output(3, 4) = std::nan("");
  EXPECT_FALSE(read_circuit(base.shape, base.view(), bad.view(), ValueOutputRounding{}, {}));
  EXPECT_FALSE(read_circuit(base.shape, bad.view(), base.view(), ValueOutputRounding{}, {}));
  bad = base;
  bad.gain(9) = HUGE_VAL;
  EXPECT_FALSE(read_circuit(base.shape, base.view(), bad.view(), ValueOutputRounding{}, {}));
  Layer narrow = base;
  narrow.value = base.value.topRows(100);
  EXPECT_THROW(read(base, narrow, Dtype::bf16), std::invalid_argument);
  Layer uneven = base;
  uneven.shape.heads = 7;
  EXPECT_THROW(read(uneven, uneven, Dtype::bf16), std::invalid_argument);
  EXPECT_THROW(read(base, base, Dtype::i8), std::invalid_argument);
  Layer zero = base;
  zero.value *= 0;
  EXPECT_EQ(read(zero, zero, Dtype::bf16).label, OriginLabel::identical);
  EXPECT_EQ(read(zero, zero, Dtype::bf16).delta, 0);
}

}  // namespace
}  // namespace stemma
