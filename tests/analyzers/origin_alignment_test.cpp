// Is a residual stream that was turned, reordered or scaled turned back, and a stranger's left alone?
#include "analyzers/origin_alignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/lapack.hpp"
#include "tests/analyzers/origin_toy.hpp"

namespace stemma {
namespace {

using origin_toy::elements;
using origin_toy::Layer;
using origin_toy::RowMajor;

constexpr Eigen::Index d = 256, tokens = 700;

RowMajor embedding(unsigned seed = 1) {
  RowMajor e = 0.5 * origin_toy::normal(tokens, d, 900 + seed);
  return origin_toy::rounded(e, Dtype::bf16);
}

StreamAlignment align(const RowMajor& base, const RowMajor& candidate) {
  return align_stream({elements(base), elements(candidate), static_cast<std::uint64_t>(base.rows()),
                       static_cast<std::uint64_t>(base.cols())})
      .value();
}

RowMajor signed_permutation() {
  RowMajor q = RowMajor::Zero(d, d);
  for (Eigen::Index i = 0; i < d; ++i) q(i, (37 * i + 11) % d) = i % 3 == 0 ? -1 : 1;
  return q;
}

/// Base and child with an embedding each.
struct Models {
  RowMajor base_embedding = embedding(), embedding_of_child = base_embedding;
  Layer base = origin_toy::base(), child = with_adapters(base, 1, 1);

  /// The same function in other coordinates, with gains redrawn and heads disguised, stored as bf16.
  void turn(const RowMajor& q, double scale) {
    const std::vector<double> uniform = toy::gaussian(d, 0.2, 71, 1);
    child = disguised(child, origin_toy::Disguise::rotation_and_scale);
    child.gain = Eigen::Map<const Eigen::VectorXd>(uniform.data(), d).cwiseMax(0.5).cwiseMin(1.5);
    child.value = child.value * q * child.gain.cwiseInverse().asDiagonal();
    child.output = scale * q.transpose() * child.output;
    child = child.stored(Dtype::bf16);
    embedding_of_child = origin_toy::rounded(scale * base_embedding * q, Dtype::bf16);
  }

  CircuitReading read(const StreamAlignment& alignment) const {
    const RowMajor folded = child.value * child.gain.asDiagonal();
    const std::vector<double> value = aligned_reader(alignment, elements(folded), 128),
                              output = aligned_writer(alignment, elements(child.output), 256);
    const double noise = circuit_noise_edge(child.shape, child.view(), {}, 0) / alignment.scale;
    return read_circuit(base.shape, base.view(), {value, output, {}}, noise, {}).value();
  }
};

void expect_adapters(const CircuitReading& reading) {
  EXPECT_EQ(reading.rank.rank, 16U);
  EXPECT_EQ(reading.rank.significant, 16U);
  EXPECT_GT(reading.rank.ratio, 2.9);
  EXPECT_LT(reading.rank.behind / reading.rank.noise_edge, 1.6);
  EXPECT_EQ(reading.label, OriginLabel::low_rank);
}

TEST(OriginAlignment, RotatedStreamsAreTurnedBack) {
  Models models;
  const RowMajor q = origin_toy::orthonormal(d, d, 81);
  models.turn(q, 1);
  const StreamAlignment alignment = align(models.base_embedding, models.embedding_of_child);
  EXPECT_EQ(alignment.change, StreamChange::orthogonal);
  EXPECT_NEAR(alignment.residual, 0.0017, 0.0005);
  EXPECT_NEAR(alignment.scale, 1, 1e-4);
  const Eigen::Map<const RowMajor> found(alignment.rotation.data(), d, d);
  EXPECT_LT((found - q).norm(), 0.002 * std::sqrt(d));
  EXPECT_LT((found * found.transpose() - RowMajor::Identity(d, d)).norm(), 1e-12);
  const RowMajor back = models.embedding_of_child * found.transpose() / alignment.scale;
  EXPECT_NEAR(alignment.residual, (back - models.base_embedding).norm() / models.base_embedding.norm(), 1e-8);
  expect_adapters(models.read(alignment));
}

TEST(OriginAlignment, ScaledStreamsAreScaledBack) {
  for (const double scale : {0.5, 3.0}) {
    Models models;
    models.turn(origin_toy::orthonormal(d, d, 82), scale);
    const StreamAlignment alignment = align(models.base_embedding, models.embedding_of_child);
    EXPECT_EQ(alignment.change, StreamChange::orthogonal);
    EXPECT_NEAR(alignment.scale, scale, 1e-4 * scale);
    expect_adapters(models.read(alignment));
    models = Models();
    models.turn(RowMajor::Identity(d, d), scale);
    const StreamAlignment same = align(models.base_embedding, models.embedding_of_child);
    EXPECT_EQ(same.change, StreamChange::identity);
    EXPECT_NEAR(same.scale, scale, 1e-4 * scale);
    expect_adapters(models.read(same));
  }
}

TEST(OriginAlignment, ReorderedStreamsArePutInOrder) {
  Models models;
  const RowMajor q = signed_permutation();
  models.turn(q, 1);
  const StreamAlignment alignment = align(models.base_embedding, models.embedding_of_child);
  EXPECT_EQ(alignment.change, StreamChange::signed_permutation);
  EXPECT_EQ(alignment.agreeing, 1);
  EXPECT_LT(alignment.residual, 1e-7);
  EXPECT_DOUBLE_EQ(alignment.scale, 1);
  for (Eigen::Index i = 0; i < d; ++i)
    EXPECT_EQ(q(i, static_cast<Eigen::Index>(alignment.source[static_cast<std::size_t>(i)])),
              alignment.sign[static_cast<std::size_t>(i)]);
  expect_adapters(models.read(alignment));
}

TEST(OriginAlignment, UnturnedStreamsStay) {
  Models models;
  models.turn(RowMajor::Identity(d, d), 1);
  const RowMajor tuned = models.base_embedding + 0.1 * origin_toy::normal(tokens, d, 91);
  const StreamAlignment alignment = align(models.base_embedding, tuned);
  EXPECT_EQ(alignment.change, StreamChange::identity);
  EXPECT_EQ(alignment.scale, 1);  // its norm grew by 2 %
  EXPECT_NEAR(alignment.residual, 0.2, 0.01);
  expect_adapters(models.read(alignment));
}

void expect_permutation(std::vector<std::uint64_t> source) {
  std::sort(source.begin(), source.end());
  for (std::size_t i = 0; i < source.size(); ++i) EXPECT_EQ(source[i], i);
}

TEST(OriginAlignment, AFewDamagedAxesAreMatchedByWhatIsLeftOfThem) {
  const RowMajor base = embedding(), q = signed_permutation(), fresh = origin_toy::normal(tokens, 27, 92);
  RowMajor candidate = base * q;
  for (Eigen::Index i = 0; i < 20; ++i) candidate.col(12 * i) += fresh.col(i);  // twice as long: cosine 0.45
  const StreamAlignment alignment = align(base, candidate);
  EXPECT_EQ(alignment.change, StreamChange::signed_permutation);
  EXPECT_EQ(alignment.agreeing, 236.0 / 256);
  expect_permutation(alignment.source);
  for (Eigen::Index i = 0; i < d; ++i)
    EXPECT_NE(q(i, static_cast<Eigen::Index>(alignment.source[static_cast<std::size_t>(i)])), 0) << i;
  for (Eigen::Index i = 20; i < 27; ++i) candidate.col(12 * i - 239) = fresh.col(i);  // now 27 of 256
  EXPECT_NE(align(base, candidate).change, StreamChange::signed_permutation);
}

TEST(OriginAlignment, NoAxisIsTakenTwice) {
  RowMajor base = embedding();
  const RowMajor fresh = origin_toy::normal(tokens, 20, 93);
  for (Eigen::Index i = 0; i < 20; ++i) base.col(12 * i + 1) = base.col(12 * i) + 0.1 * fresh.col(i);
  RowMajor candidate = base;
  for (Eigen::Index i = 0; i < 20; ++i) candidate.col(12 * i + 1) = fresh.col(i);  // both resemble 12 i
  const StreamAlignment alignment = align(base, candidate * signed_permutation());
  EXPECT_EQ(alignment.change, StreamChange::signed_permutation);
  EXPECT_EQ(alignment.agreeing, 236.0 / 256);
  expect_permutation(alignment.source);
}

TEST(OriginAlignment, StrangersAreUnaligned) {
  const StreamAlignment alignment = align(embedding(1), embedding(2));
  EXPECT_EQ(alignment.change, StreamChange::unaligned);
  EXPECT_GT(alignment.residual, 0.7);
  EXPECT_THROW(aligned_reader(alignment, std::vector<double>(256), 1), std::invalid_argument);
  EXPECT_THROW(aligned_writer(alignment, std::vector<double>(256), 1), std::invalid_argument);
}

TEST(OriginAlignment, ARotationNeedsAsManyTokensAsAxes) {
  const RowMajor base = embedding(), turned = base * origin_toy::orthonormal(d, d, 83);
  EXPECT_EQ(align(base.topRows(256), turned.topRows(256)).change, StreamChange::orthogonal);
  EXPECT_EQ(align(base.topRows(255), turned.topRows(255)).change, StreamChange::unaligned);
  RowMajor repeated = base;
  for (Eigen::Index i = 200; i < tokens; ++i) repeated.row(i) = repeated.row(i - 200);  // 200 different ones
  EXPECT_EQ(align(repeated, repeated * origin_toy::orthonormal(d, d, 83)).change, StreamChange::unaligned);
}

TEST(OriginAlignment, CentredEmbeddingsMissOneDirection) {
  const RowMajor e = embedding(), centred = e.colwise() - e.rowwise().mean();
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(d);
  const Eigen::MatrixXd mean = ones * ones.transpose() / static_cast<double>(d);
  const Eigen::MatrixXd some = origin_toy::normal(d, d, 84);  // a rotation that keeps 1, from one of the rest
  Eigen::MatrixXd basis(d, d);
  basis << ones, (Eigen::MatrixXd::Identity(d, d) - mean) * some.rightCols(d - 1);
  const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(basis).householderQ();
  Eigen::MatrixXd inside = Eigen::MatrixXd::Identity(d, d);
  inside.bottomRightCorner(d - 1, d - 1) = origin_toy::orthonormal(d - 1, d - 1, 85);
  const RowMajor rotation = q * inside * q.transpose();
  const StreamAlignment alignment = align(centred, centred * rotation);
  EXPECT_EQ(alignment.change, StreamChange::orthogonal);
  EXPECT_LT(alignment.residual, 1e-6);
  const RowMajor reader = origin_toy::normal(128, d, 86) * (Eigen::MatrixXd::Identity(d, d) - mean);
  const RowMajor turned = reader * rotation;
  const std::vector<double> back = aligned_reader(alignment, elements(turned), 128);
  for (std::size_t i = 0; i < back.size(); ++i) ASSERT_NEAR(back[i], reader.data()[i], 1e-10);
}

TEST(OriginAlignment, InputsThatCannotBeRead) {
  const RowMajor base = embedding();
  RowMajor bad = base;
  bad(3, 3) = std::nan("");
  EXPECT_FALSE(align_stream({elements(base), elements(bad), tokens, d}));
  EXPECT_THROW(align_stream({elements(base), elements(base), tokens, d - 1}), std::invalid_argument);
  EXPECT_EQ(align_stream({{}, {}, 0, d})->change, StreamChange::unaligned);
  EXPECT_EQ(align(base, RowMajor::Zero(tokens, d)).change, StreamChange::unaligned);
  EXPECT_THROW(aligned_reader(align(base, base), std::vector<double>(257), 1), std::invalid_argument);
}

TEST(PolarFactor, IsTheNearestOrthogonalMatrix) {
  const RowMajor q = origin_toy::orthonormal(20, 20, 1), a = origin_toy::normal(20, 20, 2);
  Eigen::MatrixXd m = a * a.transpose() * q;  // positive times orthogonal
  std::vector<double> matrix(m.data(), m.data() + m.size());
  const std::vector<double> values = polar_factor(matrix, 20);
  const Eigen::Map<const Eigen::MatrixXd> found(matrix.data(), 20, 20);
  EXPECT_LT((found - q).norm(), 1e-10);
  const std::vector<double> expected = dense_singular_values({m.data(), 400}, 20, 20);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(values[i], expected[i], 1e-12 * expected[0]);
}

}  // namespace
}  // namespace stemma
