// Is the state between attention and MLP found again, where steps contract and where they do not?
#include "analyzers/origin_inversion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/analyzers/single_token_toy.hpp"

namespace stemma {
namespace {

using single_token_toy::states;

/// States, what they lead to, and starts that are off by a share of their size.
struct Puzzle {
  std::vector<double> states, outputs, start;
};

Puzzle puzzle(const SingleTokenLayer& layer, std::size_t tokens, double size, double off) {
  Puzzle out;
  out.start = out.outputs = out.states = states(tokens, size, 21);
  const std::vector<double> added = layer.mlp(out.states), noise = states(tokens, size, 22);
  for (std::size_t i = 0; i < added.size(); ++i) {
    out.outputs[i] += added[i];
    out.start[i] += off * noise[i];
  }
  return out;
}

double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double out = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    out += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(out / size);
}

TEST(OriginInversion, LargeStatesContract) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const Puzzle p = puzzle(single, 200, 60, 0.1);
  const Inversion found = invert_mlp(single, p.start, p.outputs, {});
  EXPECT_LE(largest(found.errors), 1e-12);
  EXPECT_LT(distance(found.states, p.states), 1e-11);
  EXPECT_EQ(std::count(found.contracted.begin(), found.contracted.end(), true), 200);
  std::uint64_t steps = 0;
  for (const std::uint64_t one : found.steps) steps += one;
  EXPECT_EQ(found.passes, steps + 200);  // one pass a step, and one that shows the end
}

TEST(OriginInversion, SmallStatesNeedNewton) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  std::ptrdiff_t newton = 0;
  for (const double size : {2.0, 0.1, 0.03}) {
    const Puzzle p = puzzle(single, 150, size, 0.02);
    const Inversion found = invert_mlp(single, p.start, p.outputs, {});
    EXPECT_LE(largest(found.errors), 1e-6) << size;
    EXPECT_LT(distance(found.states, p.states), 1e-6) << size;
    if (size < 1) newton += std::count(found.contracted.begin(), found.contracted.end(), false);
  }
  EXPECT_GT(newton, 20);
}

TEST(OriginInversion, AdamMovesByItsRate) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const Puzzle p = puzzle(single, 40, 2, 0.005);
  InversionOptions options = {.method = InversionMethod::adam, .learning_rate = 1e-3, .steps = 500};
  const Inversion found = invert_mlp(single, p.start, p.outputs, options);
  EXPECT_LT(largest(found.errors), 1e-6);
  EXPECT_LT(distance(found.states, p.states), 1e-6);
  options.steps = 20;
  const Inversion some = invert_mlp(single, p.start, p.outputs, options);
  EXPECT_EQ(some.steps, std::vector<std::uint64_t>(40, 20));
  EXPECT_EQ(some.passes, 40U * 21 * 2);  // forwards and backwards, and one pair for the last error
  options.learning_rate = 1e-6;
  const Inversion slow = invert_mlp(single, p.start, p.outputs, options);
  for (std::size_t i = 0; i < p.start.size(); ++i) EXPECT_NEAR(slow.states[i], p.start[i], 3e-5);
  options.steps = 0;
  const Inversion none = invert_mlp(single, p.start, p.outputs, options);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_LT(slow.errors[i], none.errors[i]);
    EXPECT_LT(some.errors[i], slow.errors[i]);
  }
}

TEST(OriginInversion, ASolutionIsLeftAlone) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const Puzzle p = puzzle(single, 10, 0.3, 0);
  for (const InversionMethod method : {InversionMethod::newton, InversionMethod::adam}) {
    const Inversion found = invert_mlp(single, p.start, p.outputs, {.method = method});
    EXPECT_EQ(found.states, p.start);
    EXPECT_LT(largest(found.errors), 1e-15);
  }
}

TEST(OriginInversion, StepsAreLimitedAndTheBestIsKept) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const Puzzle p = puzzle(single, 30, 0.5, 0.05);
  const Inversion start = invert_mlp(single, p.start, p.outputs, {.steps = 0});
  EXPECT_EQ(start.states, p.start);
  const Inversion some = invert_mlp(single, p.start, p.outputs, {.steps = 5});
  EXPECT_LE(*std::max_element(some.steps.begin(), some.steps.end()), 5U);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_LE(some.errors[i], start.errors[i]);
}

TEST(OriginInversion, ProbesDoNotKnowEachOther) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  Puzzle p = puzzle(single, 20, 0.5, 0.02);
  const Inversion clean = invert_mlp(single, p.start, p.outputs, {});
  p.outputs[3 * 128] = std::numeric_limits<double>::quiet_NaN();
  const Inversion found = invert_mlp(single, p.start, p.outputs, {});
  EXPECT_FALSE(std::isfinite(found.errors[3]));
  for (std::size_t i = 0; i < 20; ++i) {
    if (i == 3) continue;
    EXPECT_NEAR(found.errors[i], clean.errors[i], 1e-12);
  }
}

TEST(OriginInversion, ZeroOutputsHaveAnAbsoluteError) {
  const single_token_toy::Layer layer = single_token_toy::base();
  const SingleTokenLayer single(layer.weights());
  const std::vector<double> zero(128);
  const Inversion found = invert_mlp(single, zero, zero, {});
  EXPECT_EQ(found.errors, std::vector<double>{0});
  EXPECT_THROW(invert_mlp(single, zero, {}, {}), std::invalid_argument);
  EXPECT_TRUE(invert_mlp(single, {}, {}, {}).errors.empty());
}

}  // namespace
}  // namespace stemma
