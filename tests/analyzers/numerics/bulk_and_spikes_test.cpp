// Do spikes and bulk come apart where they are known, and are the cosines those of matrices that are formed?
#include "analyzers/numerics/bulk_and_spikes.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>

#include "analyzers/numerics/lapack.hpp"

namespace stemma {
namespace {

using RowMajorMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double edge = 1.05;

RowMajorMatrix normal(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> one;
  return RowMajorMatrix::NullaryExpr(rows, cols, [&] { return one(generator); });
}

std::span<const double> elements(const RowMajorMatrix& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

SplitCosines compare(const RowMajorMatrix& x, const RowMajorMatrix& y) {
  return split_cosines(
      {elements(x), elements(y), static_cast<std::uint64_t>(x.rows()), static_cast<std::uint64_t>(x.cols())},
      edge);
}

double cosine(const RowMajorMatrix& a, const RowMajorMatrix& b) {
  return a.cwiseProduct(b).sum() / (a.norm() * b.norm());
}

/// Formed from all singular vectors.
RowMajorMatrix spikes_of(const RowMajorMatrix& x) {
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::VectorXd& s = svd.singularValues();
  const Eigen::Index n = s.size();
  const double rows = static_cast<double>(x.rows()), cols = static_cast<double>(x.cols()),
               sigma = (s((n - 1) / 2) + s(n / 2)) / 2 /
                       normal_median_singular_value(static_cast<std::uint64_t>(rows),
                                                    static_cast<std::uint64_t>(cols)),
               least = edge * sigma * (std::sqrt(rows) + std::sqrt(cols));
  const Eigen::VectorXd kept = (s.array() > least).select(s, 0);
  return svd.matrixU() * kept.asDiagonal() * svd.matrixV().transpose();
}

/// Strong directions of rank 6.
RowMajorMatrix strong(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  return 0.5 * normal(rows, 6, seed) * normal(6, cols, seed + 1);
}

TEST(MedianSingularValue, IsThatOfNormalMatrices) {
  EXPECT_NEAR(normal_median_singular_value(1'000'000, 1'000'000), 807.9, 0.1);
  EXPECT_NEAR(normal_median_singular_value(1, 1'000'000), 1000, 1) << "one long row is as long as it is";
  EXPECT_EQ(normal_median_singular_value(0, 5), 0);
  EXPECT_EQ(normal_median_singular_value(30, 70), normal_median_singular_value(70, 30));
  const std::pair<Eigen::Index, Eigen::Index> shapes[] = {{400, 400}, {1000, 400}, {300, 900}, {1500, 100}};
  for (const auto& [rows, cols] : shapes) {
    Eigen::MatrixXd a = normal(rows, cols, 7);
    const auto m = static_cast<std::uint64_t>(rows), n = static_cast<std::uint64_t>(cols);
    const std::vector<double> s = dense_singular_values({a.data(), static_cast<std::size_t>(a.size())}, m, n);
    const double expected = normal_median_singular_value(m, n);
    EXPECT_NEAR((s[(s.size() - 1) / 2] + s[s.size() / 2]) / 2 / expected, 1, 0.01) << rows << " x " << cols;
  }
}

TEST(SplitCosines, AreThoseOfFormedParts) {
  for (const auto& [rows, cols] : {std::pair(160, 90), std::pair(90, 160), std::pair(100, 100)}) {
    const RowMajorMatrix x = normal(rows, cols, 1) + strong(rows, cols, 2),
                         y = 0.6 * x + 0.5 * normal(rows, cols, 4) + 0.4 * strong(rows, cols, 5);
    const SplitCosines found = compare(x, y);
    const RowMajorMatrix x_spikes = spikes_of(x), y_spikes = spikes_of(y);
    EXPECT_EQ(found.spikes_of_x, 6U);
    EXPECT_GE(found.spikes_of_y, 6U);
    EXPECT_NEAR(found.matched.whole, cosine(x, y), 1e-12);
    EXPECT_NEAR(found.matched.spikes, cosine(x_spikes, y_spikes), 1e-10);
    EXPECT_NEAR(found.matched.bulk, cosine(x - x_spikes, y - y_spikes), 1e-10);
    EXPECT_LT(std::abs(found.shuffled.spikes), 0.1);
    EXPECT_LT(std::abs(found.shuffled.bulk), 0.1);
  }
}

TEST(SplitCosines, DescendantsKeepBothAndSharedStartsKeepTheBulk) {
  const RowMajorMatrix start = normal(300, 120, 11);
  const RowMajorMatrix base = start + strong(300, 120, 12);
  const PartCosines child = compare(base, base + 0.3 * normal(300, 120, 14)).matched;
  EXPECT_GT(child.bulk, 0.9);
  EXPECT_NEAR(child.spikes / child.bulk, 1, 0.08);
  const PartCosines sibling = compare(base, start + strong(300, 120, 15)).matched;
  EXPECT_GT(sibling.bulk, 0.8);
  EXPECT_LT(sibling.spikes / sibling.bulk, 0.2);
  const PartCosines stranger = compare(base, normal(300, 120, 17) + strong(300, 120, 18)).matched;
  EXPECT_LT(std::abs(stranger.bulk), 0.05);
}

TEST(SplitCosines, NoiseHasNoSpikesAndScaleDoesNotMatter) {
  const RowMajorMatrix x = normal(200, 80, 21), y = x + normal(200, 80, 22);
  const SplitCosines found = compare(x, y);
  EXPECT_EQ(found.spikes_of_x + found.spikes_of_y, 0U);
  EXPECT_TRUE(std::isnan(found.matched.spikes));
  EXPECT_NEAR(found.matched.bulk, found.matched.whole, 1e-12);
  const SplitCosines scaled = compare(1e200 * x, 1e-200 * y);
  EXPECT_NEAR(scaled.matched.bulk, found.matched.bulk, 1e-12);
}

TEST(SplitCosines, NothingIsNothing) {
  EXPECT_TRUE(std::isnan(compare(RowMajorMatrix(0, 5), RowMajorMatrix(0, 5)).matched.whole));
  EXPECT_TRUE(std::isnan(compare(RowMajorMatrix::Zero(4, 5), normal(4, 5, 1)).matched.whole));
  const RowMajorMatrix one = RowMajorMatrix::Constant(1, 1, 3);
  EXPECT_NEAR(compare(one, one).matched.whole, 1, 1e-12);
  const std::vector<double> values(6);
  EXPECT_THROW(split_cosines({values, values, 2, 2}, edge), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
