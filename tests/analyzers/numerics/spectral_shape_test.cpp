// Do the descriptors of a spectrum have their closed forms, and the values of random matrices?
#include "analyzers/numerics/spectral_shape.hpp"

#include <gtest/gtest.h>

#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

TEST(SpectralShape, ClosedForms) {
  const SpectralShape equal = shape_of(std::vector<double>(8, 3.0), 0);
  EXPECT_NEAR(equal.stable_rank, 8, 1e-13);
  EXPECT_NEAR(equal.effective_rank, 8, 1e-13);
  EXPECT_NEAR(equal.entropy, std::log(8), 1e-14);
  EXPECT_NEAR(equal.energy_rank, 8, 1e-13);
  EXPECT_NEAR(equal.participation_ratio, 8, 1e-13);
  EXPECT_EQ(equal.condition, 1);
  EXPECT_TRUE(std::isnan(equal.tail_exponent));  // no tail: all values are one

  const SpectralShape some = shape_of(std::vector<double>{4, 2, 1, 0}, 1e-6);
  EXPECT_NEAR(some.stable_rank, 21.0 / 16, 1e-15);
  EXPECT_NEAR(some.participation_ratio, 441.0 / 273, 1e-15);
  const double entropy = -(4 * std::log(4.0 / 7) + 2 * std::log(2.0 / 7) + std::log(1.0 / 7)) / 7;
  EXPECT_NEAR(some.entropy, entropy, 1e-15);
  EXPECT_NEAR(some.tail_exponent, 1 + 2 / (std::log(16) + std::log(4)), 1e-14);
  EXPECT_TRUE(std::isnan(some.condition));  // the smallest is below tau

  EXPECT_TRUE(std::isnan(shape_of({}, 0).stable_rank));
  EXPECT_TRUE(std::isnan(shape_of(std::vector<double>{0, 0}, 0).effective_rank));
}

TEST(SpectralShape, ScaleDoesNotMatter) {
  std::vector<double> values = {4, 2, 1, 0.5};
  const SpectralShape before = shape_of(values, 0);
  for (double& s : values) s = std::ldexp(s, -1000);  // squares would vanish
  const SpectralShape after = shape_of(values, 0);
  EXPECT_EQ(before.stable_rank, after.stable_rank);
  EXPECT_EQ(before.entropy, after.entropy);
  EXPECT_EQ(before.tail_exponent, after.tail_exponent);
}

/// Limits of Gaussian matrices by integrals over the Marchenko-Pastur law, and values measured at finite
/// size.
TEST(SpectralShape, GaussianMatrices) {
  const double k = 512;
  const auto square = matrices::spectrum_of(matrices::gaussian(Dtype::f32, 512, 512, 1, 1));
  const SpectralShape s = shape_of(square->values, square->error.tau);
  EXPECT_NEAR(s.stable_rank / k, 0.25, 0.015);  // s1 approaches the edge from below
  EXPECT_NEAR(s.effective_rank / k, 0.8050, 0.003);
  EXPECT_NEAR(s.energy_rank / k, std::exp(-0.5), 0.005);
  EXPECT_NEAR(s.participation_ratio / k, 512.0 / 1025, 0.005);
  EXPECT_NEAR(s.tail_exponent, 2.12, 0.04);
  const auto tall = matrices::spectrum_of(matrices::gaussian(Dtype::f32, 1024, 256, 2, 1));
  const SpectralShape t = shape_of(tall->values, tall->error.tau);
  EXPECT_NEAR(t.effective_rank / 256, 0.9662, 0.002);
  EXPECT_NEAR(t.energy_rank / 256, 0.8825, 0.005);
  EXPECT_NEAR(t.participation_ratio / 256, 0.7999, 0.007);
  EXPECT_NEAR(t.tail_exponent, 3.43, 0.1);
}

}  // namespace
}  // namespace stemma
