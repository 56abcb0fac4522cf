// Do single tensors show the rank of their own update, and new rows that of theirs?
#include "analyzers/origin_tensor.hpp"

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

TensorPair pair_of(const RowMajor& base, const RowMajor& candidate, Dtype dtype = Dtype::bf16) {
  return {origin_toy::elements(base),
          origin_toy::elements(candidate),
          static_cast<std::uint64_t>(base.rows()),
          static_cast<std::uint64_t>(base.cols()),
          {dtype, {}}};
}
TensorReading direct(const RowMajor& base, const RowMajor& candidate, const OriginOptions& options = {}) {
  return read_tensor(pair_of(base, candidate), options).value();
}
TensorReading row_space(const RowMajor& base, const RowMajor& candidate) {
  return read_row_space(pair_of(base, candidate), {}, {}).value();
}

TEST(OriginTensor, ScaledUpdatesUntilTheDeadZone) {
  const Layer base = origin_toy::base();
  struct Row {
    double scale, ratio;
    OriginLabel label;
  };
  for (const Row& row : {Row{1, 43, OriginLabel::low_rank}, Row{0.3, 13.8, OriginLabel::low_rank},
                         Row{0.1, 4.5, OriginLabel::low_rank}, Row{0.03, 1.78, OriginLabel::dead_zone}}) {
    const Layer child = with_adapters(base, row.scale, row.scale).stored(Dtype::bf16);
    for (const TensorReading& reading :
         {direct(base.value, child.value), direct(base.output, child.output)}) {
      EXPECT_EQ(reading.rank.rank, 8U) << row.scale;
      EXPECT_NEAR(reading.rank.ratio, row.ratio, 0.15 * row.ratio) << row.scale;
      EXPECT_EQ(reading.label, row.label) << row.scale;
    }
  }
  const TensorReading lost = direct(base.value, with_adapters(base, 0.01, 0).stored(Dtype::bf16).value);
  EXPECT_LT(lost.rank.rank, 8U);
  EXPECT_NEAR(lost.rank.ratio, 1.3, 0.1);
  EXPECT_EQ(lost.label, OriginLabel::dead_zone);
}

TEST(OriginTensor, UpdateIsThatOfTheStoredValues) {
  const Layer base = origin_toy::base();
  const RowMajor child = with_adapters(base, 0.3, 0).stored(Dtype::bf16).value;
  const TensorReading reading = direct(base.value, child);
  EXPECT_NEAR(reading.update, (child - base.value).norm() / base.value.norm(), 1e-12);
  EXPECT_NEAR(reading.delta,
              (child - base.value).norm() / std::sqrt((child.squaredNorm() + base.value.squaredNorm()) / 2),
              1e-12);
  RowMajor difference = child - base.value;
  const std::vector<double> expected =
      dense_singular_values({difference.data(), static_cast<std::size_t>(difference.size())}, 256, 128);
  ASSERT_EQ(reading.values.size(), 128U);
  for (std::size_t i = 0; i < 128; ++i) EXPECT_NEAR(reading.values[i], expected[i], 1e-14);
}

TEST(OriginTensor, NoiseEdgeIsThatOfTheory) {  // eta (sqrt m + sqrt n)
  const RowMajor w = 0.02 * origin_toy::normal(128, 256, 3);
  const RowMajor stored = origin_toy::rounded(w, Dtype::bf16);
  const TensorReading reading = direct(w, stored);
  const double edge = 0.00166 * 0.02 * (std::sqrt(128.0) + 16);
  EXPECT_NEAR(reading.rank.noise_edge, edge, 0.06 * edge);
  EXPECT_NEAR(reading.values[0], reading.rank.noise_edge, 0.06 * edge);
}

TEST(OriginTensor, LargeTensorsGiveTheirLargestValues) {
  const Layer base = origin_toy::base();
  const RowMajor child = with_adapters(base, 0, 1).stored(Dtype::bf16).output;
  RowMajor difference = child - base.output;
  const std::vector<double> all =
      dense_singular_values({difference.data(), static_cast<std::size_t>(difference.size())}, 256, 256);
  const TensorReading more = direct(base.output, child), some = direct(base.output, child, {.max_rank = 16});
  ASSERT_EQ(more.values.size(), 48U);  // the last of them is noise, so nobody asked for more
  ASSERT_EQ(some.values.size(), 32U);
  for (const TensorReading& reading : {more, some}) {
    for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(reading.values[i], all[i], 1e-12);
    EXPECT_NEAR(reading.values[8], all[8], 0.05 * all[8]);
    EXPECT_EQ(reading.rank.rank, 8U);
    EXPECT_EQ(reading.label, OriginLabel::low_rank);
  }
  const TensorReading stranger = direct(base.output, origin_toy::base(2).output);
  EXPECT_EQ(stranger.values.size(), 256U);  // nothing is noise
}

TEST(OriginTensor, CopiesStrangersAndFineTunes) {
  const RowMajor base = origin_toy::base().value, other = origin_toy::base(2).value;
  EXPECT_EQ(direct(base, base).label, OriginLabel::identical);
  EXPECT_EQ(direct(base, base).update, 0);
  EXPECT_EQ(direct(base, other).label, OriginLabel::unrelated_here);
  EXPECT_NEAR(direct(base, other).delta, std::sqrt(2.0), 0.02);
  // Training moves some directions more than others; what moves all alike is rounding to fewer values.
  const RowMajor even = 0.005 * origin_toy::normal(128, 256, 9),
                 trained = 0.25 * origin_toy::weight(128, 256, 9);
  const auto after = [&](const RowMajor& update) { return origin_toy::rounded(base + update, Dtype::bf16); };
  EXPECT_EQ(direct(base, after(trained)).label, OriginLabel::full_rank_close);
  EXPECT_EQ(direct(base, after(even)).label, OriginLabel::coarse);
}

TEST(OriginTensor, LatticesOfEightAndFourBitsAreNoFineTunes) {
  const RowMajor base = origin_toy::base().output;
  for (const double levels : {127.0, 7.0}) {
    RowMajor stored = base;
    for (Eigen::Index i = 0; i < stored.rows(); ++i) {
      const double step = stored.row(i).cwiseAbs().maxCoeff() / levels;
      stored.row(i) = (stored.row(i) / step).array().round() * step;
    }
    EXPECT_EQ(direct(base, origin_toy::rounded(stored, Dtype::bf16)).label, OriginLabel::coarse) << levels;
  }
}

TEST(OriginTensor, DisguisedTensorsAreUselessButTheirRowSpaceIsNot) {
  const Layer base = origin_toy::base(), child = with_adapters(base, 1, 1);
  for (const Disguise disguise : origin_toy::disguises) {
    const RowMajor value = disguised(child, disguise).stored(Dtype::bf16).value;
    EXPECT_EQ(direct(base.value, value).rank.rank, 1U);
    EXPECT_NEAR(direct(base.value, value).rank.ratio, 1.85, 0.2);
    EXPECT_EQ(direct(base.value, value).label, OriginLabel::unrelated_here);
    const TensorReading reading = row_space(base.value, value);
    EXPECT_EQ(reading.rank.rank, 8U);
    EXPECT_GT(reading.rank.ratio, 30);
    EXPECT_LT(reading.rank.ratio, 46);
    EXPECT_EQ(reading.label, OriginLabel::low_rank);
  }
  const TensorReading uneven =
      row_space(base.value, disguised(child, Disguise::uneven_scaling).stored(Dtype::bf16).value);
  EXPECT_EQ(uneven.rank.rank, 8U);
  EXPECT_EQ(uneven.label, OriginLabel::low_rank);
}

TEST(OriginTensor, RowSpaceIsThatOfAProjector) {
  const Layer base = origin_toy::base();
  const RowMajor child = disguised(with_adapters(base, 1, 1), Disguise::rotation_and_scale).value;
  const std::vector<double> gains = toy::gaussian(256, 0.2, 3, 1), new_gains = toy::gaussian(256, 0.2, 4, 1);
  const auto with = [](const RowMajor& w, const std::vector<double>& gain) {
    return RowMajor(w * Eigen::Map<const Eigen::VectorXd>(gain.data(), w.cols()).asDiagonal());
  };
  const RowMajor w = with(base.value, gains), w_new = with(child, new_gains);
  const Eigen::MatrixXd gram = w * w.transpose();
  RowMajor residual =
      w_new - w_new * w.transpose() * gram.ldlt().solve(Eigen::MatrixXd(w));  // W' (I - W^+ W)
  const auto reading = read_row_space(pair_of(base.value, child), {gains, new_gains}, {});
  EXPECT_NEAR(reading->update, residual.norm() / w_new.norm(), 1e-10);
  const std::vector<double> expected =
      dense_singular_values({residual.data(), static_cast<std::size_t>(residual.size())}, 256, 128);
  for (std::size_t i = 0; i < 128; ++i) EXPECT_NEAR(reading->values[i], expected[i], 1e-11);
}

TEST(OriginTensor, NoiseIsPushedThroughTheProjector) {
  const RowMajor base = origin_toy::base().value;
  const std::vector<double> gains = toy::gaussian(256, 0.2, 3, 1);
  const auto gain = Eigen::Map<const Eigen::VectorXd>(gains.data(), 256).asDiagonal();
  const Eigen::MatrixXd gram = base * base.transpose();
  for (const std::uint64_t seed : {6, 7, 8, 9}) {
    double direct_edge = 0, edge = 0;
    for (std::uint32_t draw = 0; draw < 3; ++draw) {
      const std::vector<double> drawn =
          rounding_noise(Dtype::bf16, origin_toy::elements(base),
                         {.seed = seed, .tensor = origin_tensor_noise, .draw = draw});
      RowMajor noise = Eigen::Map<const RowMajor>(drawn.data(), 128, 256);
      RowMajor folded = noise * gain;
      folded -= RowMajor(folded * base.transpose() * gram.ldlt().solve(Eigen::MatrixXd(base)));
      direct_edge = std::max(direct_edge, dense_singular_values({noise.data(), 128UL * 256}, 256, 128)[0]);
      edge = std::max(edge, dense_singular_values({folded.data(), 128UL * 256}, 256, 128)[0]);
    }
    EXPECT_NEAR(read_tensor(pair_of(base, base), {.seed = seed})->rank.noise_edge, direct_edge,
                0.002 * direct_edge);
    EXPECT_NEAR(read_row_space(pair_of(base, base), {{}, gains}, {.seed = seed})->rank.noise_edge, edge,
                0.002 * edge);
  }
}

TEST(OriginTensor, DoublesAreReadDownToTheirOwnRounding) {
  const Layer base = origin_toy::base(), child = with_adapters(base, 1e-6, 0);
  const RowMajor copy = disguised(base, Disguise::rotation_and_scale).value,
                 value = disguised(child, Disguise::rotation_and_scale).value;
  EXPECT_EQ(read_row_space(pair_of(base.value, copy, Dtype::f64), {}, {})->label, OriginLabel::identical);
  for (const auto& reading : {read_row_space(pair_of(base.value, value, Dtype::f64), {}, {}),
                              read_tensor(pair_of(base.value, child.value, Dtype::f64), {})}) {
    EXPECT_EQ(reading->rank.rank, 8U);
    EXPECT_GT(reading->rank.ratio, 1e6);
    EXPECT_EQ(reading->label, OriginLabel::low_rank);
  }
}

/// Rounded to multiples of `step`, with the half distances of these codes.
struct Coded {
  RowMajor values;
  std::vector<double> halves;
};
Coded coded(const RowMajor& weight, double step) {
  return {(weight / step).array().round().matrix() * step,
          std::vector<double>(static_cast<std::size_t>(weight.size()), step / 2)};
}
TensorReading with_codes(const RowMajor& base, const Coded& candidate) {
  TensorPair pair = pair_of(base, candidate.values, Dtype::f32);
  pair.rounding.half_distances = candidate.halves;
  return read_tensor(pair, {}).value();
}

TEST(OriginTensor, CodesHaveTheNullOfTheirHalfDistances) {
  const Layer base = origin_toy::base(), child = with_adapters(base, 1, 1);
  const double size = base.value.norm() / std::sqrt(static_cast<double>(base.value.size()));
  for (const double step : {0.02 * size, 0.3 * size}) {
    const TensorReading copy = with_codes(base.value, coded(base.value, step));
    // Independent uniform numbers of (-h, h): h / sqrt 3 (sqrt m + sqrt n), what was drawn and what is there.
    const double edge = step / 2 / std::sqrt(3.0) * (std::sqrt(128.0) + 16);
    EXPECT_NEAR(copy.rank.noise_edge, edge, 0.05 * edge);
    EXPECT_NEAR(copy.rank.first, edge, 0.05 * edge);
    EXPECT_EQ(copy.label, OriginLabel::coarse);
  }
  const TensorReading fine = with_codes(base.value, coded(child.value, 0.01 * size));
  EXPECT_EQ(fine.label, OriginLabel::low_rank) << fine.rank.ratio;
  EXPECT_EQ(fine.rank.rank, 8U);
  // By the null of the type alone it would have no rank: what quantising left lies above it.
  const auto by_type =
      read_tensor(pair_of(base.value, coded(child.value, 0.01 * size).values, Dtype::f32), {});
  EXPECT_NE(by_type->label, OriginLabel::low_rank);
  EXPECT_NE(with_codes(base.value, coded(child.value, 2 * size)).label, OriginLabel::low_rank);
}

TEST(OriginTensor, RowSpaceOfCopiesIsThatOfTheBase) {
  const Layer base = origin_toy::base();
  for (const Disguise disguise : origin_toy::disguises)
    EXPECT_EQ(row_space(base.value, disguised(base, disguise).stored(Dtype::bf16).value).label,
              OriginLabel::identical);
  EXPECT_NE(row_space(base.value, origin_toy::base(2).value).label, OriginLabel::low_rank);
  EXPECT_LT(row_space(base.value, origin_toy::base(2).value).rank.ratio, 2);
}

TEST(OriginTensor, InputsThatCannotBeRead) {
  const RowMajor base = origin_toy::base().value, output = origin_toy::base().output;
  RowMajor bad = base;
  bad(1, 1) = HUGE_VAL;
  EXPECT_FALSE(read_tensor(pair_of(base, bad), {}));
  EXPECT_FALSE(read_tensor(pair_of(bad, base), {}));
  EXPECT_FALSE(read_row_space(pair_of(base, bad), {}, {}));
  EXPECT_THROW(read_tensor({origin_toy::elements(base), origin_toy::elements(output), 128, 256}, {}),
               std::invalid_argument);
  EXPECT_THROW(read_tensor(pair_of(base, base, Dtype::i8), {}), std::invalid_argument);
  EXPECT_THROW(read_row_space(pair_of(output, output), {}, {}),
               std::invalid_argument);  // as many rows as columns
  EXPECT_THROW(read_row_space(pair_of(base, base), {std::vector<double>(3, 1), {}}, {}),
               std::invalid_argument);
  const RowMajor zero = RowMajor::Zero(128, 256);
  EXPECT_EQ(direct(zero, zero).label, OriginLabel::identical);
  EXPECT_EQ(row_space(zero, zero).label, OriginLabel::identical);
  EXPECT_FALSE(std::isnan(direct(zero, base).update));
}

}  // namespace
}  // namespace stemma
