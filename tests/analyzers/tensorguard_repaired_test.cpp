// Are kurtosis and skewness of W x what their definition says, do they see nothing but the values of W, and
// is their control that of Gaussian weights?
#include "analyzers/tensorguard_repaired.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "analyzers/tensor_marks.hpp"
#include "analyzers/tensorguard.hpp"
#include "analyzers/tensorguard_inputs.hpp"
#include "analyzers/tensorguard_pair.hpp"
#include "analyzers/tensorguard_response.hpp"
#include "analyzers/thresholds.hpp"
#include "toy_model.hpp"

namespace stemma {
namespace {

using namespace toy;

constexpr std::uint64_t seed = 7, guard_rows = 40, cols = 27;

/// The features of one matrix under a role that is asked for.
Features features_of(const std::vector<double>& w, std::uint64_t m, std::uint64_t n, Dtype dtype = Dtype::f64,
                     std::size_t chunk = std::size_t{1} << 20) {
  ToyModel model(dtype);
  model.add(role(0, Part::mlp_up), m, n, w);
  return measure_all(model, chunk, {{"seed", double(seed)}}).at({"tensorguard", "layers/0/mlp.up"});
}

/// From the definition: yh of unit length, means of its powers.
std::pair<double, double> by_definition(const std::vector<double>& w, std::uint64_t m, std::uint64_t n) {
  const std::vector<double> x = guard_base(seed, n);
  std::vector<double> y(m);
  for (std::uint64_t i = 0; i < m; ++i)
    y[i] = std::inner_product(x.begin(), x.end(), w.begin() + static_cast<std::ptrdiff_t>(i * n), 0.0);
  const double length = std::sqrt(std::inner_product(y.begin(), y.end(), y.begin(), 0.0));
  std::array<double, 5> a{};
  for (const double yi : y)
    for (int k = 1; k <= 4; ++k) a[std::size_t(k)] += std::pow(yi / length, k) / static_cast<double>(m);
  return {a[4] / (a[2] * a[2]), std::abs(a[3]) / std::pow(a[2], 1.5)};
}

TEST(RepairedResponse, IsThatOfItsDefinitionHoweverPanelsAreCut) {
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::bf16}) {
    std::vector<double> w = gaussian(guard_rows * cols, 0.05, 3, 0.01);
    if (dtype == Dtype::f32)
      for (double& e : w) e = static_cast<float>(e);
    if (dtype == Dtype::bf16)
      for (double& e : w) e = std::round(e * 256) / 256;  // few bits: rounding changes nothing
    const auto [kurtosis, skewness] = by_definition(w, guard_rows, cols);
    const Features whole = features_of(w, guard_rows, cols, dtype);
    EXPECT_EQ(whole.status, Status::ok);
    EXPECT_NEAR(number_in(whole, "repaired_kurtosis"), kurtosis, 1e-12 * kurtosis);
    EXPECT_NEAR(number_in(whole, "repaired_skewness"), skewness, 1e-12);
    for (const std::size_t chunk : {cols * 2, cols * 8 * 3, cols * 8 * 7})
      EXPECT_EQ(features_of(w, guard_rows, cols, dtype, chunk).numbers, whole.numbers) << chunk;
  }
}

TEST(RepairedResponse, KnowsNeitherScaleNorSignNorOrderOfRows) {
  const std::vector<double> w = gaussian(guard_rows * cols, 1, 4, 0.2);
  const Features plain = features_of(w, guard_rows, cols);
  std::vector<double> scaled = w, turned(w.size());
  for (double& e : scaled) e *= -0x1p-9;
  EXPECT_EQ(features_of(scaled, guard_rows, cols).numbers, plain.numbers);
  for (double& e : scaled) e *= 3;
  for (std::uint64_t i = 0; i < guard_rows; ++i)
    std::copy_n(w.begin() + static_cast<std::ptrdiff_t>(i * cols), cols,
                turned.begin() + static_cast<std::ptrdiff_t>((i * 7 + 3) % guard_rows * cols));
  for (const auto& other : {scaled, turned}) {
    const Features found = features_of(other, guard_rows, cols);
    for (const char* name : {"repaired_kurtosis", "repaired_skewness"})
      EXPECT_NEAR(number_in(found, name), number_in(plain, name), 1e-12);
  }
}

TEST(RepairedResponse, ControlIsThatOfGaussianWeights) {
  // Moments over 4,000 matrices: their own error is 0.05 spreads at most, twice that is allowed for.
  constexpr unsigned draws = 4000;
  for (const std::uint64_t m : {16U, 100U}) {
    const RepairedControl control = repaired_control(m);
    double sum = 0, square = 0, skewness = 0;
    for (unsigned draw = 0; draw < draws; ++draw) {
      ResponseSums y;
      for (const double yi : gaussian(m, 3, 10 + draw)) y.add(yi);
      const RepairedResponse response = repaired_response(y);
      sum += response.kurtosis / draws;
      square += response.kurtosis * response.kurtosis / draws;
      skewness += response.skewness * response.skewness / draws;
    }
    EXPECT_NEAR(sum, control.kurtosis, 0.05 * control.kurtosis_spread) << m;
    EXPECT_NEAR(std::sqrt(square - sum * sum), control.kurtosis_spread, 0.1 * control.kurtosis_spread) << m;
    EXPECT_NEAR(std::sqrt(skewness), control.skewness, 0.05 * control.skewness) << m;
  }
  const RepairedControl large = repaired_control(1000000);
  EXPECT_NEAR(large.kurtosis, 3, 1e-5);
  EXPECT_NEAR(large.kurtosis_spread, std::sqrt(24e-6), 1e-7);
  EXPECT_NEAR(large.skewness, std::sqrt(15e-6), 1e-7);
  const Features gauss = features_of(gaussian(2000 * 50, 0.02, 5), 2000, 50);
  EXPECT_NEAR(number_in(gauss, "repaired_kurtosis"), 3, 4 * std::sqrt(24.0 / 2000));
  EXPECT_EQ(number_in(gauss, "control_repaired_kurtosis"), repaired_control(2000).kurtosis);
}

TEST(RepairedResponse, IsMissingWithAReason) {
  const std::vector<double> good = gaussian(guard_rows * cols, 1, 6);
  const auto expect_missing = [](const Features& found, Status status, const std::string& reason) {
    EXPECT_EQ(found.status, status) << reason;
    EXPECT_NE(found.problem.find(reason), std::string::npos) << found.problem;
    EXPECT_TRUE(std::isnan(number_in(found, "repaired_kurtosis")));
    EXPECT_TRUE(std::isnan(number_in(found, "repaired_skewness")));
  };
  for (const double bad : {NAN, INFINITY}) {
    std::vector<double> w = good;
    w[cols + 3] = bad;
    expect_missing(features_of(w, guard_rows, cols), Status::nonfinite, "not finite");
  }
  expect_missing(features_of(std::vector<double>(guard_rows * cols, 0), guard_rows, cols), Status::ok,
                 "is zero");
  const std::uint64_t few = thresholds::guard_fewest_rows - 1;
  expect_missing(features_of(gaussian(few * cols, 1, 6), few, cols), Status::ok, "too few rows");
  for (const double factor : {1e100, 1e-100}) {
    std::vector<double> w = good;
    for (double& e : w) e *= factor;
    expect_missing(features_of(w, guard_rows, cols), Status::ok, "range of doubles");
  }
}

/// q in every layer, up in all but the second, which has two experts.
ToyModel deep_model(int layers, unsigned first) {
  ToyModel toy;
  for (int l = 0; l < layers; ++l) {
    const auto at = first + 10 * static_cast<unsigned>(l);
    toy.add(role(l, Part::attn_q), guard_rows, cols, gaussian(guard_rows * cols, 1, at));
    if (l != 1) toy.add(role(l, Part::mlp_up), guard_rows, cols, gaussian(guard_rows * cols, 1, at + 1));
    if (l != 1) continue;
    for (const int expert : {0, 1})
      toy.add(role(l, Part::moe_expert_up, expert), guard_rows, cols,
              gaussian(guard_rows * cols, 1, at + 2 + static_cast<unsigned>(expert)));
  }
  return toy;
}

TEST(RepairedCurves, HaveOneValueForEachLayerAndPoolExperts) {
  ToyModel toy = deep_model(3, 1);
  const auto curves = fingerprint_of(toy).repaired;
  ASSERT_TRUE(curves);
  EXPECT_EQ(curves->layer, (std::vector<int>{0, 1, 2}));
  const Results results = measure_all(toy);
  const auto number = [&](const char* subject, const char* name) {
    return number_in(results.at({"tensorguard", subject}), name);
  };
  constexpr std::size_t q = 0, k = 1, up = 5;
  EXPECT_EQ(curves->kurtosis[q][2], number("layers/2/attn.q", "repaired_kurtosis"));
  EXPECT_EQ(curves->skewness[up][0], number("layers/0/mlp.up", "repaired_skewness"));
  EXPECT_TRUE(std::isnan(curves->kurtosis[k][0]));
  std::array<double, 2> kurtosis{}, skewness{};
  for (std::size_t e = 0; e < 2; ++e) {
    const std::string subject = path_of(role(1, Part::moe_expert_up, static_cast<int>(e)));
    kurtosis[e] = number(subject.c_str(), "repaired_kurtosis");
    skewness[e] = number(subject.c_str(), "repaired_skewness");
  }
  const RepairedControl control = repaired_control(guard_rows);
  EXPECT_DOUBLE_EQ(curves->kurtosis[up][1], (kurtosis[0] + kurtosis[1]) / 2);
  EXPECT_DOUBLE_EQ(curves->skewness[up][1], std::hypot(skewness[0], skewness[1]) / std::sqrt(2));
  EXPECT_DOUBLE_EQ(curves->kurtosis_control[up][1], control.kurtosis);
  EXPECT_DOUBLE_EQ(curves->kurtosis_spread[up][1], control.kurtosis_spread / std::sqrt(2));
  EXPECT_DOUBLE_EQ(curves->skewness_control[up][1], control.skewness);
  for (const Subject& subject : tensorguard_analyzer().subjects(toy.model, {{"repaired", 0}}))
    EXPECT_TRUE(subject.apart) << "nobody asked for " << subject.path;
}

TEST(RepairedCurves, AreComparedProjectionByProjection) {
  ToyModel one = deep_model(9, 1), other = deep_model(9, 500), shallow = deep_model(7, 1);
  std::vector<Fingerprint> f = {fingerprint_of(one), fingerprint_of(other), fingerprint_of(shallow)};
  const auto rows_of = [&](const Fingerprint& a, const Fingerprint& b) {
    std::map<std::string, Evidence> by_role;
    for (const Evidence& row : tensorguard_pair_test().compare(a, b, {})) by_role[row.role] = row;
    return by_role;
  };
  auto same = rows_of(f[0], f[0]);
  ASSERT_EQ(same.size(), 3U) << "the headline, q and up";
  for (const char* part : {"q", "up"}) {
    EXPECT_DOUBLE_EQ(same.at(part).score, 1);
    EXPECT_DOUBLE_EQ(same.at(part).control, 1 / std::sqrt(8));
    EXPECT_EQ(same.at(part).null, "none valid");
    EXPECT_EQ(same.at(part).abstain, "");
  }
  const Evidence strangers = rows_of(f[0], f[1]).at("q");
  const Evidence expected = rows_of(f[1], f[0]).at("q");
  EXPECT_EQ(strangers.score, expected.score);
  EXPECT_EQ(strangers.detail_json, expected.detail_json);
  EXPECT_LT(std::abs(strangers.score), 0.95);
  EXPECT_EQ(rows_of(f[2], f[2]).at("q").abstain, "too_few_layers");
  const Evidence unequal = rows_of(f[0], f[2]).at("q");
  EXPECT_EQ(unequal.abstain, "unaligned");
  EXPECT_TRUE(std::isnan(unequal.score));
  EXPECT_TRUE(std::isnan(unequal.control));
}

}  // namespace
}  // namespace stemma
