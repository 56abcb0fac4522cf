// Are the curves the standard deviations as stored, and the twins what no change of coordinates can move?
#include "analyzers/intrinsic_fingerprint.hpp"

#include <gtest/gtest.h>

#include <numbers>

#include "analyzers/curve_score.hpp"
#include "dense_model.hpp"

namespace stemma {
namespace {

using namespace toy;

constexpr int layer_count = 9;

double unbiased_std(std::span<const double> x) {
  long double mean = 0, m2 = 0;
  for (const double v : x) mean += v;
  mean /= static_cast<long double>(x.size());
  for (const double v : x) m2 += (v - mean) * (v - mean);
  return static_cast<double>(std::sqrt(m2 / static_cast<long double>(x.size() - 1)));
}

IntrinsicCurves curves_of(const DenseModel& dense, NormKind norm = NormKind::rms) {
  ToyModel model = toy_of(dense, norm);
  return *fingerprint_of(model).intrinsic;
}

void expect_same_twins(const IntrinsicCurves& a, const IntrinsicCurves& b, double tolerance = 1e-12) {
  for (std::size_t part = 0; part < 4; ++part) {
    ASSERT_EQ(a.twin[part].size(), b.twin[part].size());
    for (std::size_t l = 0; l < a.twin[part].size(); ++l) {
      EXPECT_NEAR(a.twin[part][l], b.twin[part][l], tolerance) << twin_parts[part] << " layer " << l;
    }
  }
}

Dense random_rotation(int n, std::mt19937_64& generator) {
  return Eigen::HouseholderQR<Eigen::MatrixXd>(random_dense(n, n, 1, generator)).householderQ() *
         Eigen::MatrixXd::Identity(n, n);
}

TEST(Curves, AreUnbiasedStandardDeviationsAsStored) {
  const DenseModel dense = random_dense_model(3, 1);
  const IntrinsicCurves curves = curves_of(dense);
  for (std::size_t l = 0; l < 3; ++l) {
    const std::array<const Dense*, 4> weights = {&dense.layers[l].q, &dense.layers[l].k, &dense.layers[l].v,
                                                 &dense.layers[l].o};
    for (std::size_t part = 0; part < 4; ++part) {
      const double expected = unbiased_std(values(*weights[part]));
      EXPECT_NEAR(curves.curve[part][l], expected, 1e-12 * expected);
    }
    EXPECT_NEAR(curves.further.at("gate")[l], unbiased_std(values(dense.layers[l].gate)), 1e-13);
    EXPECT_NEAR(curves.further.at("norm_attn")[l], unbiased_std(values(dense.layers[l].gain_attn)), 1e-13);
  }
  EXPECT_FALSE(curves.random_init);
}

class Twins : public testing::TestWithParam<NormKind> {};

TEST_P(Twins, AgreeWithCircuitsFormedInFull) {
  const DenseModel dense = random_dense_model(3, 2);
  const IntrinsicCurves curves = curves_of(dense, GetParam());
  for (std::size_t l = 0; l < 3; ++l) {
    const auto expected = dense_twins(dense, dense.layers[l], GetParam());
    for (std::size_t part = 0; part < 4; ++part) EXPECT_NEAR(curves.twin[part][l], expected[part], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Norms, Twins, testing::Values(NormKind::rms, NormKind::layer));

TEST(Gauge, HeadMapsMoveCurvesButNotTwins) {
  const DenseModel base = random_dense_model(layer_count, 3);
  DenseModel changed = base;
  std::mt19937_64 generator(4);
  std::uniform_real_distribution<double> uniform(0, 1);
  const int half = base.head_dim / 2;
  for (DenseLayer& layer : changed.layers) {
    for (int j = 0; j < base.kv_heads; ++j) {
      const Dense r = random_dense(base.head_dim, base.head_dim, 1, generator) +
                      2 * Dense::Identity(base.head_dim, base.head_dim);
      Dense t = Dense::Zero(base.head_dim,
                            base.head_dim);  // scale and rotation inside each rotary pair (p, p + half)
      for (int p = 0; p < half; ++p) {
        const double s = std::exp(uniform(generator) - 0.5), phi = 2 * std::numbers::pi * uniform(generator);
        t(p, p) = t(p + half, p + half) = s * std::cos(phi);
        t(p, p + half) = -s * std::sin(phi);
        t(p + half, p) = s * std::sin(phi);
      }
      const auto rows = [&](Dense& w, int h) { return w.middleRows(h * base.head_dim, base.head_dim); };
      rows(layer.v, j) = (r * rows(layer.v, j)).eval();
      rows(layer.k, j) = (t * rows(layer.k, j)).eval();
      for (int h = j * base.group(); h < (j + 1) * base.group(); ++h) {
        auto block = layer.o.middleCols(h * base.head_dim, base.head_dim);
        block = (block * r.inverse()).eval();
        rows(layer.q, h) = (t.inverse().transpose() * rows(layer.q, h)).eval();
      }
    }
  }
  const IntrinsicCurves a = curves_of(base), b = curves_of(changed);
  expect_same_twins(a, b);
  EXPECT_LT(curve_score(a, b, DepthMode::refuse).mean, 0.99);
  EXPECT_NEAR(twin_score(a, b, DepthMode::refuse).mean, 1, 1e-12);
}

TEST(Gauge, NeuronPermutationAndScaleLeaveTwins) {
  const DenseModel base = random_dense_model(4, 5);
  DenseModel changed = base;
  std::mt19937_64 generator(6);
  std::normal_distribution<double> normal;
  for (std::size_t l = 0; l < changed.layers.size(); ++l) {
    const DenseLayer& from = base.layers[l];
    DenseLayer& to = changed.layers[l];
    std::vector<int> order(static_cast<std::size_t>(base.inter));
    for (int i = 0; i < base.inter; ++i) order[static_cast<std::size_t>(i)] = i;
    std::shuffle(order.begin(), order.end(), generator);
    for (int i = 0; i < base.inter; ++i) {
      const int j = order[static_cast<std::size_t>(i)];
      const double c = -std::exp(normal(generator));
      to.gate.row(i) = from.gate.row(j);
      to.up.row(i) = c * from.up.row(j);
      to.down.col(i) = from.down.col(j) / c;
    }
  }
  expect_same_twins(curves_of(base), curves_of(changed));
}

TEST(Gauge, RotatedStreamWithFoldedGainsLeavesTwins) {
  const DenseModel base = random_dense_model(4, 7);
  DenseModel changed = base;
  std::mt19937_64 generator(8);
  std::uniform_real_distribution<double> gain(0.5, 1.5);
  const Dense r = random_rotation(base.d, generator);
  for (DenseLayer& layer : changed.layers) {
    const Vector attn = layer.gain_attn, mlp = layer.gain_mlp;
    layer.gain_attn = Vector::NullaryExpr(base.d, [&] { return gain(generator); });
    layer.gain_mlp = Vector::NullaryExpr(base.d, [&] { return gain(generator); });
    for (Dense* w : {&layer.q, &layer.k, &layer.v}) {
      *w = (*w * attn.asDiagonal() * r * layer.gain_attn.cwiseInverse().asDiagonal()).eval();
    }
    for (Dense* w : {&layer.gate, &layer.up}) {
      *w = (*w * mlp.asDiagonal() * r * layer.gain_mlp.cwiseInverse().asDiagonal()).eval();
    }
    layer.o = (r.transpose() * layer.o).eval();
    layer.down = (r.transpose() * layer.down).eval();
  }
  expect_same_twins(curves_of(base), curves_of(changed));
}

TEST(Attack, ScalingForgesTheFaithfulCurveButNotTheTwin) {
  const DenseModel base = random_dense_model(layer_count, 9);
  const IntrinsicCurves honest = curves_of(base);
  const IntrinsicCurves target = curves_of(random_dense_model(layer_count, 10));
  DenseModel forged = base;
  for (std::size_t l = 0; l < forged.layers.size(); ++l) {
    const double a = target.curve[2][l] / honest.curve[2][l];
    forged.layers[l].v *= a;
    forged.layers[l].o /= a;
  }
  const IntrinsicCurves curves = curves_of(forged);
  const CurveScore framed = curve_score(curves, target, DepthMode::refuse);
  EXPECT_NEAR(framed.parts[2].r, 1, 1e-12);
  EXPECT_LT(curve_score(curves, honest, DepthMode::refuse).parts[2].r, 0.9);
  expect_same_twins(curves, honest);
  EXPECT_NEAR(twin_score(curves, honest, DepthMode::refuse).mean, 1, 1e-12);
}

TEST(Fused, GivesTheSameCurvesAndContentAsSeparate) {
  const DenseModel dense = random_dense_model(2, 11);
  ToyModel separate = toy_of(dense);
  ToyModel fused(Dtype::f64);
  fused.model.dims = separate.model.dims;
  for (int l = 0; l < 2; ++l) {
    const DenseLayer& layer = dense.layers[static_cast<std::size_t>(l)];
    std::vector<double> qkv;
    for (const Dense* w : {&layer.q, &layer.k, &layer.v})
      qkv.insert(qkv.end(), w->data(), w->data() + w->size());
    fused.add_stacked("layers." + std::to_string(l) + ".qkv",
                      {{role(l, Part::attn_q), 48}, {role(l, Part::attn_k), 24}, {role(l, Part::attn_v), 24}},
                      48, qkv);
    const Dense o_stored = layer.o.transpose();
    fused.add_transposed(role(l, Part::attn_o), 48, 48, values(o_stored));
    add(fused, role(l, Part::mlp_gate), layer.gate);
    add(fused, role(l, Part::mlp_up), layer.up);
    add(fused, role(l, Part::mlp_down), layer.down);
    fused.add(role(l, Part::norm_pre_attn), 48, 0, values(layer.gain_attn));
    fused.add(role(l, Part::norm_pre_mlp), 48, 0, values(layer.gain_mlp));
  }
  const Fingerprint a = fingerprint_of(separate), b = fingerprint_of(fused);
  EXPECT_EQ(a.intrinsic->curve, b.intrinsic->curve);
  EXPECT_EQ(a.intrinsic->twin, b.intrinsic->twin);
  EXPECT_EQ(a.intrinsic->edge, b.intrinsic->edge);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].role, b.tensors[i].role);
    EXPECT_EQ(a.tensors[i].content, b.tensors[i].content);
    EXPECT_EQ(a.tensors[i].histogram, b.tensors[i].histogram);
  }
}

TEST(Norms, GemmaOffsetAndPostNorm) {
  DenseModel dense = random_dense_model(2, 12);
  const IntrinsicCurves plain = curves_of(dense);
  DenseModel shifted = dense;
  for (DenseLayer& layer : shifted.layers) {
    layer.gain_attn.array() -= 1;
    layer.gain_mlp.array() -= 1;
  }
  ToyModel gemma = toy_of(shifted);
  for (Matrix& matrix : gemma.model.matrices) {
    if (matrix.vector) matrix.gain_offset = 1;
  }
  expect_same_twins(*fingerprint_of(gemma).intrinsic, plain);

  // A norm behind the writers makes their scale free.
  const auto sandwich = [&](double scale) {
    DenseModel scaled = dense;
    for (DenseLayer& layer : scaled.layers) {
      layer.o *= scale;
      layer.down *= scale;
    }
    ToyModel model = toy_of(scaled);
    for (int l = 0; l < 2; ++l) {
      const auto gain = gaussian(48, 0.1, 99, 1);
      model.add(role(l, Part::norm_post_attn), 48, 0, gain);
      model.add(role(l, Part::norm_post_mlp), 48, 0, gain);
    }
    return *fingerprint_of(model).intrinsic;
  };
  expect_same_twins(sandwich(1), sandwich(7));
  EXPECT_GT(std::abs(sandwich(1).twin[1][0] - plain.twin[1][0]), 0.1);
}

TEST(Twin, MissesWithReasonWhereItMeansNothing) {
  const DenseModel dense = random_dense_model(2, 13);
  ToyModel unknown_heads = toy_of(dense);
  unknown_heads.model.dims.clear();
  const Results results = measure_all(unknown_heads);
  const Features& qk = results.at({"intrinsic_fingerprint", "layers/0/qk"});
  EXPECT_TRUE(std::isnan(qk.numbers.at("square_norm")));
  EXPECT_NE(qk.problem.find("heads"), std::string::npos);
  const Fingerprint f = fingerprint(unknown_heads, results);
  EXPECT_FALSE(std::isnan(f.intrinsic->curve[0][0]));
  EXPECT_TRUE(std::isnan(f.intrinsic->twin[0][0]));
  EXPECT_FALSE(std::isnan(f.intrinsic->twin[2][0]));  // neurons need no heads

  ToyModel normed = toy_of(dense);
  for (int l = 0; l < 2; ++l) normed.add(role(l, Part::attn_q_norm), 8, 0, std::vector<double>(8, 1.0));
  const Fingerprint g = fingerprint_of(normed);
  EXPECT_TRUE(std::isnan(g.intrinsic->twin[0][0]));
  EXPECT_FALSE(std::isnan(g.intrinsic->twin[1][0]));
}

TEST(Experts, ArePooledExactlyAndAveraged) {
  ToyModel model(Dtype::bf16);
  model.model.dims = {{"heads", 2}, {"kv_heads", 2}};
  std::vector<double> all, deviations;
  double square_norms = 0;
  for (int e = 0; e < 3; ++e) {
    const auto seed = static_cast<unsigned>(20 + e);
    const auto up = gaussian(24 * 16, 0.01 * (e + 1), seed), down = gaussian(16 * 24, 0.02, seed + 50);
    model.add(role(0, Part::moe_expert_up, e), 24, 16, up)
        .add(role(0, Part::moe_expert_down, e), 16, 24, down);
    std::vector<double> stored_up(up.size()), stored_down(down.size());
    widen(Dtype::bf16, encode(Dtype::bf16, up), stored_up);
    widen(Dtype::bf16, encode(Dtype::bf16, down), stored_down);
    all.insert(all.end(), stored_up.begin(), stored_up.end());
    deviations.push_back(unbiased_std(stored_up));
    const Dense u = Eigen::Map<const Dense>(stored_up.data(), 24, 16),
                d = Eigen::Map<const Dense>(stored_down.data(), 16, 24);
    for (int i = 0; i < 24; ++i) square_norms += u.row(i).squaredNorm() * d.col(i).squaredNorm();
  }
  const Fingerprint f = fingerprint_of(model);
  EXPECT_NEAR(f.intrinsic->further.at("up")[0], unbiased_std(all), 1e-15);
  EXPECT_NEAR(f.intrinsic->further.at("experts.up.mean")[0],
              (deviations[0] + deviations[1] + deviations[2]) / 3, 1e-15);
  EXPECT_NEAR(f.intrinsic->twin[2][0], 0.5 * std::log(square_norms), 1e-12);
  EXPECT_EQ(f.table.n_elements.at("up")[1], all.size());
}

TEST(Experts, OfWideTypesArePooledByMoments) {
  ToyModel model(Dtype::f32);
  std::vector<double> all;
  for (int e = 0; e < 2; ++e) {
    const auto up = gaussian(600, 0.5 * (e + 1), static_cast<unsigned>(e), e);
    model.add(role(0, Part::moe_expert_up, e), 30, 20, up);
    for (const double x : up) all.push_back(static_cast<double>(static_cast<float>(x)));
  }
  const Fingerprint f = fingerprint_of(model);
  long double mean = 0, m2 = 0, m4 = 0;
  for (const double x : all) mean += x / static_cast<long double>(all.size());
  for (const double x : all) {
    m2 += (x - mean) * (x - mean);
    m4 += std::pow(x - mean, 4.0L);
  }
  const long double n = all.size();
  EXPECT_NEAR(f.table.std_unbiased.at("up")[1], unbiased_std(all), 1e-12);
  EXPECT_NEAR(f.table.kurtosis_excess.at("up")[1], static_cast<double>(m4 / n / (m2 / n) / (m2 / n) - 3),
              1e-8);
}

ToyModel attention_only(int layers, const std::function<double(int)>& spread, double spike) {
  ToyModel model(Dtype::bf16);
  model.model.dims = {{"heads", 4}, {"kv_heads", 4}};
  unsigned seed = 1;
  for (int l = 0; l < layers; ++l) {
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o}) {
      auto w = gaussian(96 * 96, spread(l), seed++);
      for (std::size_t i = 0; i < 96; ++i) {
        for (std::size_t j = 0; j < 96; ++j)
          w[i * 96 + j] += spike * spread(l) * std::sin(double(i)) * std::cos(double(j));
      }
      model.add(role(l, part), 96, 96, w);
    }
  }
  return model;
}

TEST(RandomInit, FlatCurvesAreFlagged) {
  ToyModel model = attention_only(
      8, [](int) { return 0.02; }, 0);
  const IntrinsicCurves curves = *fingerprint_of(model).intrinsic;
  EXPECT_TRUE(curves.random_init);
  EXPECT_NE(curves.random_init_reason.find("hardly vary"), std::string::npos);
}

TEST(RandomInit, DepthScaledInitialisationIsFlaggedByTheEdge) {
  ToyModel model = attention_only(
      8, [](int l) { return 0.02 / std::sqrt(l + 1.0); }, 0);
  const IntrinsicCurves curves = *fingerprint_of(model).intrinsic;
  EXPECT_TRUE(curves.random_init);
  EXPECT_NE(curves.random_init_reason.find("edge"), std::string::npos);
}

TEST(RandomInit, TrainedLookingWeightsAreNot) {
  ToyModel model = attention_only(
      8, [](int l) { return 0.02 / std::sqrt(l + 1.0); }, 1);
  const IntrinsicCurves curves = *fingerprint_of(model).intrinsic;
  EXPECT_FALSE(curves.random_init) << curves.random_init_reason;
  for (const auto& edge : curves.edge) {
    for (const double x : edge) EXPECT_GT(x, 1.05);
  }
}

}  // namespace
}  // namespace stemma
