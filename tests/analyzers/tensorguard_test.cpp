// Is the vector of a model what its explicit gradients say, however its bytes arrive, and is the control
// blind?
#include "analyzers/tensorguard.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "analyzers/tensorguard_inputs.hpp"
#include "analyzers/tensorguard_pair.hpp"
#include "toy_model.hpp"

namespace stemma {
namespace {

using namespace toy;

constexpr std::uint64_t vocabulary = 30, hidden = 16, inner = 24;

struct Stored {
  Role role;
  std::uint64_t rows = 0, cols = 0;
  std::vector<double> values;
};

/// Three matrices of one size and one of another; the embedding is the probe of the first.
std::vector<Stored> weights(unsigned seed) {
  return {{role(-1, Part::embed), vocabulary, hidden, gaussian(vocabulary * hidden, 0.5, seed)},
          {role(0, Part::attn_q), hidden, hidden, gaussian(hidden * hidden, 0.2, seed + 1)},
          {role(0, Part::mlp_down), hidden, inner, gaussian(hidden * inner, 0.1, seed + 2)},
          {role(0, Part::mlp_up), inner, hidden, gaussian(inner * hidden, 0.3, seed + 3)}};
}

ToyModel model_of(const std::vector<Stored>& stored) {
  ToyModel toy(Dtype::f64);
  for (const Stored& s : stored) toy.add(s.role, s.rows, s.cols, s.values);
  return toy;
}

std::vector<double> times(const Stored& w, const std::vector<double>& x) {
  std::vector<double> y(w.rows, 0);
  for (std::uint64_t i = 0; i < w.rows; ++i)
    for (std::uint64_t j = 0; j < w.cols; ++j) y[i] += w.values[i * w.cols + j] * x[j];
  return y;
}

/// Mean, deviation, norm, skewness and kurtosis of all elements of the gradient.
std::array<double, 5> of_gradient(const Stored& w, const std::vector<double>& x) {
  const std::vector<double> y = times(w, x);
  double length = 0;
  for (const double yi : y) length += yi * yi;
  std::vector<double> g;
  for (const double yi : y)
    for (const double xj : x) g.push_back(yi / std::sqrt(length) * xj);
  const double n = static_cast<double>(g.size());
  double mean = 0, m2 = 0, m3 = 0, m4 = 0, square = 0;
  for (const double e : g) mean += e / n, square += e * e;
  for (const double e : g) {
    const double d = e - mean;
    m2 += d * d / n, m3 += d * d * d / n, m4 += d * d * d * d / n;
  }
  return {mean, std::sqrt(m2), std::sqrt(square), m3 / std::pow(m2, 1.5), m4 / (m2 * m2) - 3};
}

/// Mean over the draws of one target; its probe is the first matrix of its size in the order of names.
std::array<double, 5> expected(const Stored& w, const Stored& probe, std::uint64_t seed, int samples,
                               bool balanced) {
  const std::vector<double> x = guard_base(seed, w.cols);
  std::vector<double> p = times(probe, x);
  double sum = 0;
  for (double& logit : p) sum += logit = std::exp(logit);
  const std::uint64_t target = guard_class(seed, probe.rows);
  std::vector<double> adversarial = x;
  for (std::uint64_t j = 0; j < w.cols; ++j) {
    double gradient = 0;
    for (std::uint64_t i = 0; i < probe.rows; ++i)
      gradient += (p[i] / sum - (i == target ? 1 : 0)) * probe.values[i * w.cols + j];
    adversarial[j] += 0.03 * (gradient > 0 ? 1 : -1);
  }
  const auto drawn = guard_schedule(seed, path_of(w.role), samples, balanced);
  std::array<double, 5> mean{};
  int total = 0;
  for (std::size_t noise = 0; noise < guard_noises; ++noise) {
    const auto kind = static_cast<GuardNoise>(noise);
    const auto values =
        of_gradient(w, kind == GuardNoise::adversarial ? adversarial : guard_input(kind, seed, x));
    for (std::size_t f = 0; f < 5; ++f) mean[f] += drawn[noise] * values[f];
    total += drawn[noise];
  }
  for (double& value : mean) value /= total;
  return mean;
}

Fingerprint fingerprint_with(ToyModel& toy, const std::map<std::string, double>& options, std::size_t chunk) {
  const Results results = measure_all(toy, chunk, options);
  Fingerprint out;
  tensorguard_analyzer().summarise(
      toy.model,
      [&](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
        const auto found = results.find({std::string(analyzer), std::string(subject)});
        return found == results.end() ? std::nullopt : std::optional(found->second);
      },
      options, out);
  return out;
}

TEST(TensorGuard, VectorIsThatOfTheExplicitGradients) {
  const std::vector<Stored> w = weights(3);
  ToyModel toy = model_of(w);
  for (const bool balanced : {false, true})
    for (const std::uint64_t seed : {0U, 7U}) {
      const std::map<std::string, double> options = {
          {"seed", static_cast<double>(seed)}, {"mode", balanced ? 1.0 : 0.0}, {"samples", 10}};
      const auto found = fingerprint_with(toy, options, std::size_t{1} << 20).guard;
      ASSERT_TRUE(found);
      std::vector<std::array<double, 5>> each;
      for (const Stored& s : w) each.push_back(expected(s, s.cols == inner ? s : w[0], seed, 10, balanced));
      GuardVector vector{};
      for (std::size_t f = 0; f < 5; ++f) vector[f] = (each[0][f] + each[1][f] + each[2][f] + each[3][f]) / 4;
      for (std::size_t f = 0; f < 3; ++f) {
        vector[5 + f] = each[1][f];                     // attention
        vector[8 + f] = (each[2][f] + each[3][f]) / 2;  // feed-forward
        vector[11 + f] = each[0][f];                    // embedding
      }
      vector[14] = 4;
      for (std::size_t f = 0; f < vector.size(); ++f)
        EXPECT_NEAR(found->value[f], vector[f], 1e-10 * std::max(1.0, std::abs(vector[f])))
            << guard_features[f];
    }
}

TEST(TensorGuard, HoweverTheBytesAreCut) {
  ToyModel toy = model_of(weights(4));
  const auto whole = fingerprint_with(toy, {}, std::size_t{1} << 20).guard;
  for (const std::size_t chunk : {8U, 56U, 1000U})
    EXPECT_EQ(fingerprint_with(toy, {}, chunk).guard, whole) << chunk;
}

TEST(TensorGuard, TheControlSeesShapesOnly) {
  ToyModel one = model_of(weights(5)), other = model_of(weights(50));
  const auto a = fingerprint_with(one, {}, 1000).guard, b = fingerprint_with(other, {}, 1000).guard;
  EXPECT_EQ(a->control, b->control);
  EXPECT_NE(a->value, b->value);
  for (const std::size_t f : {2U, 7U, 10U, 13U})  // norms: of weights and of none
    EXPECT_NEAR(a->value[f], a->control[f], 0.02 * a->control[f]) << guard_features[f];
}

TEST(TensorGuard, WithoutOneTargetThereIsNoVector) {
  std::vector<Stored> w = weights(6);
  w[1].values[5] = std::nan("");
  ToyModel toy = model_of(w);
  EXPECT_FALSE(fingerprint_with(toy, {}, 1000).guard);
  ToyModel none;
  none.add(role(0, Part::norm_pre_attn), 8, 0, std::vector<double>(8, 1.0));
  EXPECT_FALSE(fingerprint_with(none, {}, 1000).guard);
}

TEST(TensorGuardPair, StandardisesOverTheCorpusAndShowsItsControl) {
  std::vector<Fingerprint> corpus(4);
  for (unsigned i = 0; i < 3; ++i) {
    ToyModel toy = model_of(weights(10 * i));
    corpus[i] = fingerprint_with(toy, {}, 1000);
  }
  const auto test = tensorguard_pair_test().fitted(corpus);
  ASSERT_TRUE(test);
  const Evidence row = test->compare(corpus[0], corpus[1], {}).front();
  EXPECT_GT(row.score, 0);
  EXPECT_EQ(row.control, 0) << "the three have the same shapes";
  EXPECT_EQ(row.null, "none valid");
  EXPECT_EQ(test->compare(corpus[1], corpus[0], {}).front().score, row.score);
  EXPECT_EQ(test->compare(corpus[0], corpus[3], {}).front().abstain, "unsupported");
  const auto few = tensorguard_pair_test().fitted(std::span(corpus).first(2));
  EXPECT_EQ(few->compare(corpus[0], corpus[1], {}).front().abstain, "too_few_models");
}

}  // namespace
}  // namespace stemma
