// Are neurons found wherever they went, and is every input answered?
#include "analyzers/aligned_neurons.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/analyzers/toy_model.hpp"

namespace stemma {
namespace {

using toy::ToyModel;

constexpr std::uint64_t width = 48, neurons = 80;
using Values = std::vector<double>;

/// Gate, up (neurons x width) and down (width x neurons) of one layer.
struct Mlp {
  Values gate, up, down;
};

Mlp normal_mlp(unsigned seed) {
  return {toy::gaussian(neurons * width, 1, seed), toy::gaussian(neurons * width, 1, seed + 1),
          toy::gaussian(neurons * width, 1, seed + 2)};
}

/// Neuron i of the result is neuron order(i), up times a factor of either sign, down over it.
Mlp reordered(const Mlp& mlp) {
  Mlp out = mlp;
  for (std::uint64_t i = 0; i < neurons; ++i) {
    const std::uint64_t from = (7 * i + 3) % neurons;
    const double factor = (i % 2 == 0 ? 1 : -1) * (0.5 + static_cast<double>(i % 5));
    for (std::uint64_t j = 0; j < width; ++j) {
      out.gate[i * width + j] = mlp.gate[from * width + j];
      out.up[i * width + j] = factor * mlp.up[from * width + j];
      out.down[j * neurons + i] = mlp.down[j * neurons + from] / factor;
    }
  }
  return out;
}

void add(ToyModel& model, const std::vector<Mlp>& layers, bool gated = true) {
  for (int layer = 0; const Mlp& mlp : layers) {
    if (gated) model.add(toy::role(layer, Part::mlp_gate), neurons, width, mlp.gate);
    model.add(toy::role(layer, Part::mlp_up), neurons, width, mlp.up);
    model.add(toy::role(layer, Part::mlp_down), width, neurons, mlp.down);
    model.add(toy::role(layer, Part::norm_pre_mlp), width, 0, Values(width, 2));
    ++layer;
  }
}

/// What is found, all weights being read one after the other.
AlignedNeurons found_in(const ToyModel& base, const ToyModel& candidate) {
  ModelPair pair;
  pair.base = &base.model;
  pair.candidate = &candidate.model;
  pair.first_of_candidate = static_cast<std::uint32_t>(base.model.matrices.size());
  pair.alignment.change = StreamChange::identity;
  const PairAnalyzer& analyzer = aligned_neurons_analyzer();
  std::map<std::string, Features, std::less<>> results;
  for (const Subject& subject : analyzer.subjects(pair, {})) {
    const auto matrix = [&](std::uint32_t index) -> std::pair<const ToyModel&, const Matrix&> {
      const bool of_base = index < pair.first_of_candidate;
      const ToyModel& model = of_base ? base : candidate;
      return {model, model.model.matrices[index - (of_base ? 0 : pair.first_of_candidate)]};
    };
    std::vector<Input> inputs;
    for (const std::uint32_t index : subject.matrices) {
      const auto& [model, m] = matrix(index);
      inputs.push_back({path_of(m.role), dtype_of(model.model, m), m.rows, m.cols, 0});
    }
    std::vector<Values> companions;
    for (const std::uint32_t index : subject.companions) {
      const auto& [model, m] = matrix(index);
      widen(dtype_of(model.model, m), model.stored(m.tensor), companions.emplace_back(m.elements()));
    }
    EXPECT_GT(analyzer.cost(subject, inputs).flops, 0);
    const auto reading = analyzer.begin(subject, inputs, companions);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& [model, m] = matrix(subject.matrices[i]);
      reading->take(i, {0, m.rows, model.stored(m.tensor)});
    }
    results[subject.path] = reading->finish();
  }
  return aligned_neurons_of(pair, [&](std::string_view, std::string_view subject) -> std::optional<Features> {
    const auto result = results.find(subject);
    return result == results.end() ? std::nullopt : std::optional(result->second);
  });
}

TEST(AlignedNeurons, AreFoundInAnyOrder) {
  const std::vector<Mlp> layers = {normal_mlp(1), normal_mlp(11), normal_mlp(21)};
  std::vector<Mlp> moved;
  for (const Mlp& mlp : layers) moved.push_back(reordered(mlp));
  ToyModel base, same, other;
  add(base, layers);
  add(same, layers);
  add(other, moved);
  const AlignedNeurons in_place = found_in(base, same), elsewhere = found_in(base, other);
  for (const AlignedNeurons* found : {&in_place, &elsewhere}) {
    EXPECT_EQ(found->read, 3U);
    EXPECT_EQ(found->share, 1);
    EXPECT_EQ(found->labelled, 3 * neurons);
    EXPECT_NEAR(found->whole, 1, 1e-6);
    EXPECT_NEAR(found->bulk, 1, 1e-6);
    EXPECT_LT(std::abs(found->shuffled_bulk), 0.1);
    EXPECT_LT(found->control.share(), 0.1);
    EXPECT_LT(found->log_p_robust, -500);
  }
  EXPECT_EQ(in_place.fixed, 3 * neurons);
  EXPECT_LT(in_place.log_p_places, -700);
  EXPECT_LT(elsewhere.fixed, 5U);
  EXPECT_GT(elsewhere.log_p_places, -3);
}

TEST(AlignedNeurons, OfStrangersAreFew) {
  ToyModel base, stranger;
  add(base, {normal_mlp(1), normal_mlp(11)});
  add(stranger, {normal_mlp(101), normal_mlp(111)});
  const AlignedNeurons found = found_in(base, stranger);
  EXPECT_LT(found.share, 0.05);
  EXPECT_EQ(found.log_p_robust, 0);
  EXPECT_GT(found.log_p_places, -3);
}

TEST(AlignedNeurons, WithoutGatesSignsCount) {
  const std::vector<Mlp> layers = {normal_mlp(1), normal_mlp(11)};
  std::vector<Mlp> turned = layers;
  for (Mlp& mlp : turned)
    for (Values* values : {&mlp.up, &mlp.down})
      for (double& x : *values) x = -x;
  ToyModel base, same, negative;
  add(base, layers, false);
  add(same, layers, false);
  add(negative, turned, false);
  EXPECT_EQ(found_in(base, same).share, 1);
  EXPECT_EQ(found_in(base, same).layers[0].weights.size(), 2U);
  EXPECT_LT(found_in(base, negative).share, 0.05);
}

TEST(AlignedNeurons, SortedNeuronsHaveNoPlaces) {
  std::vector<Mlp> layers = {normal_mlp(1)};
  for (std::uint64_t i = 0; i < neurons; ++i)
    for (std::uint64_t j = 0; j < width; ++j) layers[0].up[i * width + j] *= static_cast<double>(1 + i);
  ToyModel base, same;
  add(base, layers);
  add(same, layers);
  const AlignedNeurons found = found_in(base, same);
  EXPECT_TRUE(found.sorted);
  EXPECT_EQ(found.log_p_places, 0);
  EXPECT_EQ(found.share, 1);
}

TEST(AlignedNeurons, EveryInputIsAnswered) {
  const double big = 1e38, nan = std::numeric_limits<double>::quiet_NaN();
  for (const double x : {0.0, 0.25, big, nan, HUGE_VAL}) {
    Mlp mlp = normal_mlp(1);
    for (double& value : mlp.up) value = x;
    ToyModel base(Dtype::f32), candidate(Dtype::f32);
    add(base, {normal_mlp(1), normal_mlp(11)});
    add(candidate, {mlp, normal_mlp(11)});
    const AlignedNeurons found = found_in(base, candidate);
    EXPECT_EQ(found.layers[0].problem.empty(), std::isfinite(x)) << x;
    EXPECT_EQ(found.layers[1].agreeing, neurons);
    EXPECT_EQ(found.layers[0].agreeing, 0U) << "rows that are all alike";
  }
  for (const double spread : {1e-30, 1e30}) {
    ToyModel base(Dtype::f32), candidate(Dtype::f32);
    Mlp mlp = normal_mlp(1);
    for (double& value : mlp.gate) value *= spread;
    add(base, {normal_mlp(1)});
    add(candidate, {mlp});
    EXPECT_NEAR(found_in(base, candidate).bulk, 1, 1e-6);
  }
}

TEST(AlignedNeurons, AnObstacleIsSaid) {
  ToyModel base, deeper, plain, empty;
  add(base, {normal_mlp(1)});
  add(deeper, {normal_mlp(1), normal_mlp(2)});
  add(plain, {normal_mlp(1)}, false);
  EXPECT_EQ(found_in(base, deeper).obstacle, "one model has 1 layers and the other 2");
  EXPECT_EQ(found_in(base, plain).obstacle, "only one model has gates");
  EXPECT_EQ(found_in(empty, empty).obstacle, "no layer is known");
  const std::vector<Evidence> rows = aligned_neurons_evidence(found_in(base, plain));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].abstain, "unsupported");
  EXPECT_TRUE(aligned_neurons_evidence({}).empty());
}

}  // namespace
}  // namespace stemma
