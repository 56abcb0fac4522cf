// Do attention and MLP answer as written down element by element, and alike in other coordinates?
#include "analyzers/layer_function.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "analyzers/folding.hpp"
#include "tests/analyzers/toy_model.hpp"

namespace stemma {
namespace {

using RowMajorMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr Eigen::Index model_width = 12, heads = 4, groups = 2, head = 6, count = 8, length = 4;

RowMajorMatrix random(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  const auto values = toy::gaussian(static_cast<std::size_t>(rows * cols), 0.5, seed);
  return Eigen::Map<const RowMajorMatrix>(values.data(), rows, cols);
}

AffineMap map_of(const RowMajorMatrix& w, const Vector& b) {
  return [w, b](std::span<const double> states) {
    const Eigen::Map<const RowMajorMatrix> x(states.data(),
                                             static_cast<Eigen::Index>(states.size()) / w.cols(), w.cols());
    const RowMajorMatrix y = (x * w.transpose()).rowwise() + b.transpose();
    return std::vector<double>(y.data(), y.data() + y.size());
  };
}

/// Weights of one layer's attention, with biases.
struct Attention {
  RowMajorMatrix q = random(heads * head, model_width, 1), k = random(groups * head, model_width, 2),
                 v = random(groups * head, model_width, 3), o = random(model_width, heads*head, 4);
  Vector q_bias = random(heads * head, 1, 5), k_bias = random(groups * head, 1, 6),
         v_bias = random(groups * head, 1, 7), o_bias = random(model_width, 1, 8);
  Rope rope = Rope::half;
  std::uint64_t rotary_width = head;

  AttentionFunction function() const {
    return {.shape = {model_width, heads, groups, head},
            .rope = rope,
            .rotary_width = rotary_width,
            .query = map_of(q, q_bias),
            .key = map_of(k, k_bias),
            .value = map_of(v, v_bias),
            .output = map_of(o, o_bias),
            .query_gain = {},
            .key_gain = {}};
  }
};

const Sequences sequences{.length = length, .angles = {0.3, 1.1, 2.9}};

std::vector<double> states() {
  std::vector<double> rows = toy::gaussian(count * model_width, 1, 9);
  normalise_rows(rows, model_width);
  return rows;
}

constexpr Sharpness mild{0.7, 0.4};

std::vector<double> attention_answers(const AttentionFunction& function, const Sequences& order = sequences) {
  std::optional<Sharpness> known = mild;
  return attention_answers(function, order, states(), known);
}
std::vector<double> attention_answers(const Attention& a) { return attention_answers(a.function()); }

Sharpness sharpness_of(const Attention& a) {
  std::optional<Sharpness> found;
  attention_answers(a.function(), sequences, states(), found);
  return *found;
}

/// The rotation of the pair (first, second) by `angle`, as a matrix on a head.
RowMajorMatrix turned(Eigen::Index first, Eigen::Index second, double angle, double scale = 1) {
  RowMajorMatrix r = RowMajorMatrix::Identity(head, head);
  r(first, first) = r(second, second) = scale * std::cos(angle);
  r(first, second) = -scale * std::sin(angle);
  r(second, first) = scale * std::sin(angle);
  return r;
}

/// What one step does to a head.
RowMajorMatrix step(const Attention& a) {
  RowMajorMatrix r = RowMajorMatrix::Identity(head, head);
  if (a.rope == Rope::none) return r;
  const auto pairs = static_cast<Eigen::Index>(a.rotary_width) / 2;
  for (Eigen::Index p = 0; p < pairs; ++p) {
    const double angle = sequences.angles[static_cast<std::size_t>(p)];
    r = r * (a.rope == Rope::half ? turned(p, p + pairs, angle) : turned(2 * p, 2 * p + 1, angle));
  }
  return r;
}

void expect_near(const std::vector<double>& one, const std::vector<double>& other, double bound) {
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], bound) << i;
}

double apart(const std::vector<double>& one, const std::vector<double>& other) {
  double most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) most = std::max(most, std::abs(one[i] - other[i]));
  return most;
}

/// Queries, keys and values of all states, by the definition.
RowMajorMatrix projected(const RowMajorMatrix& w, const Vector& bias, const std::vector<double>& x) {
  const Eigen::Map<const RowMajorMatrix> rows(x.data(), count, model_width);
  return (rows * w.transpose()).rowwise() + bias.transpose();
}

/// What attention answers with these queries and keys, which R has not turned yet, before the
/// output.
RowMajorMatrix attended(const RowMajorMatrix& turn, const RowMajorMatrix& q, const RowMajorMatrix& k,
                        const RowMajorMatrix& v, double sharpness) {
  RowMajorMatrix out(count, heads * head);
  for (Eigen::Index at = 0; at < count; ++at)
    for (Eigen::Index h = 0; h < heads; ++h) {
      const Eigen::Index group = h / (heads / groups);
      Vector sum = Vector::Zero(head);
      double total = 0;
      for (Eigen::Index of = at - at % length; of <= at; ++of) {
        Vector back = k.row(of).segment(group * head, head).transpose();  // R^of against R^at is R^(of - at)
        for (Eigen::Index i = of; i < at; ++i) back = turn.transpose() * back;
        const double weight = std::exp(sharpness * q.row(at).segment(h * head, head).dot(back));
        sum += weight * v.row(of).segment(group * head, head).transpose();
        total += weight;
      }
      out.row(at).segment(h * head, head) = (sum / total).transpose();
    }
  return out;
}

TEST(AttentionAnswers, ElementByElement) {
  for (const auto& [rope, rotary] : {std::pair(Rope::half, 6), std::pair(Rope::interleaved, 6),
                                     std::pair(Rope::half, 4), std::pair(Rope::none, 0)}) {
    Attention a;
    a.rope = rope;
    a.rotary_width = static_cast<std::uint64_t>(rotary);
    const RowMajorMatrix turn = step(a);
    RowMajorMatrix q = projected(a.q, a.q_bias, states()), k = projected(a.k, a.k_bias, states());
    const RowMajorMatrix v = projected(a.v, a.v_bias, states());
    RowMajorMatrix all(2 * count, heads * head);
    all.topRows(count) = attended(turn, q, k, v, mild.whole);
    q.rowwise() -= q.colwise().mean().eval();
    k.rowwise() -= k.colwise().mean().eval();
    all.bottomRows(count) = attended(turn, q, k, v, mild.varying);
    const RowMajorMatrix expected = (all * a.o.transpose()).rowwise() + a.o_bias.transpose();
    expect_near(attention_answers(a), {expected.data(), expected.data() + expected.size()}, 1e-12);
  }
}

TEST(AttentionAnswers, SharpnessMakesTheMedianHeadCount) {
  Attention a;
  const Sharpness plain = sharpness_of(a);
  a.q *= 10;
  a.q_bias *= 10;
  EXPECT_NEAR(sharpness_of(a).whole, plain.whole / 10, 1e-12);
  EXPECT_NEAR(sharpness_of(a).varying, plain.varying / 10, 1e-12);
  a.k_bias.setConstant(50);
  EXPECT_LT(sharpness_of(a).whole, plain.whole / 50);
  EXPECT_NEAR(sharpness_of(a).varying, plain.varying / 10, 1e-12) << "no bias is part of what varies";
  a.q.setZero();
  a.q_bias.setZero();
  EXPECT_EQ(sharpness_of(a).whole, 1);
}

TEST(AttentionAnswers, LargeBiasesHideNoWeights) {
  Attention plain;
  plain.q_bias *= 1000;
  plain.k_bias *= 1000;
  Attention changed = plain;
  changed.q *= 1.1;
  std::optional<Sharpness> sharpness;
  const auto before = attention_answers(plain.function(), sequences, states(), sharpness);
  const auto after = attention_answers(changed.function(), sequences, states(), sharpness);
  const auto half = static_cast<std::ptrdiff_t>(before.size() / 2);
  const double hidden = apart({before.begin(), before.begin() + half}, {after.begin(), after.begin() + half});
  EXPECT_GT(apart(before, after), 10 * hidden);
}

TEST(AttentionAnswers, OtherCoordinatesAnswerAlike) {
  const Attention plain;
  const auto before = attention_answers(plain);
  Attention a;
  // Any map of values, undone by the output.
  const RowMajorMatrix map = random(head, head, 20) + RowMajorMatrix::Identity(head, head) * 2;
  a.v.topRows(head) = map * a.v.topRows(head).eval();
  a.v_bias.head(head) = map * a.v_bias.head(head).eval();
  for (Eigen::Index h = 0; h < heads / groups; ++h)
    a.o.middleCols(h * head, head) = a.o.middleCols(h * head, head).eval() * map.inverse();
  // A rotation and a scale of one rotary pair.
  const RowMajorMatrix pair = turned(1, 4, 0.8, 3);
  const RowMajorMatrix back = turned(1, 4, 0.8, 1.0 / 3);
  a.k.topRows(head) = pair * a.k.topRows(head).eval();
  a.k_bias.head(head) = pair * a.k_bias.head(head).eval();
  for (Eigen::Index h = 0; h < heads / groups; ++h) {
    a.q.middleRows(h * head, head) = back * a.q.middleRows(h * head, head).eval();
    a.q_bias.segment(h * head, head) = back * a.q_bias.segment(h * head, head).eval();
  }
  expect_near(attention_answers(a), before, 1e-12);
  // Both groups change places.
  for (RowMajorMatrix* m : {&a.q, &a.k, &a.v}) {
    const Eigen::Index half = m->rows() / 2;
    const RowMajorMatrix first = m->topRows(half);
    m->topRows(half) = m->bottomRows(half).eval();
    m->bottomRows(half) = first;
  }
  for (Vector* v : {&a.q_bias, &a.k_bias, &a.v_bias}) {
    const Vector first = v->head(v->size() / 2);
    v->head(v->size() / 2) = v->tail(v->size() / 2).eval();
    v->tail(v->size() / 2) = first;
  }
  const RowMajorMatrix first = a.o.leftCols(a.o.cols() / 2);
  a.o.leftCols(a.o.cols() / 2) = a.o.rightCols(a.o.cols() / 2).eval();
  a.o.rightCols(a.o.cols() / 2) = first;
  expect_near(attention_answers(a), before, 1e-12);
}

TEST(AttentionAnswers, OtherFunctionsAnswerOtherwise) {
  const Attention plain;
  const auto before = attention_answers(plain);
  Attention a;
  a.k.topRows(head) = turned(0, 1, 0.8) * a.k.topRows(head).eval();  // no rotary pair of the half layout
  for (Eigen::Index h = 0; h < heads / groups; ++h)
    a.q.middleRows(h * head, head) = turned(0, 1, 0.8) * a.q.middleRows(h * head, head).eval();
  EXPECT_GT(apart(attention_answers(a), before), 0.01);
  Attention hotter;
  hotter.q *= 1.1;
  EXPECT_GT(apart(attention_answers(hotter), before), 0.001) << "the size of scores is part of the function";
  Attention swapped;  // heads of one group change places in queries, not in outputs
  const RowMajorMatrix first = swapped.q.topRows(head);
  swapped.q.topRows(head) = swapped.q.middleRows(head, head).eval();
  swapped.q.middleRows(head, head) = first;
  EXPECT_GT(apart(attention_answers(swapped), before), 0.01);
}

TEST(AttentionAnswers, ANormOfHeadsForgetsTheirSize) {
  Attention a;
  a.q_bias.setZero();
  const auto with_gain = [&](Eigen::Index size) {
    AttentionFunction function = a.function();
    function.query_gain = std::vector<double>(static_cast<std::size_t>(size), 1.5);
    return attention_answers(function);
  };
  const auto before = with_gain(head), before_whole = with_gain(heads * head);
  a.q.topRows(head) *= 7;
  expect_near(with_gain(head), before, 1e-12);
  EXPECT_GT(apart(with_gain(heads * head), before_whole), 0.001) << "one norm over all heads sees it";
}

TEST(AttentionAnswers, SizesThatDoNotFit) {
  const Attention a;
  EXPECT_THROW(attention_answers(a.function(), {.length = 5, .angles = {1, 2, 3}}), std::invalid_argument);
  EXPECT_THROW(attention_answers(a.function(), {.length = 4, .angles = {1, 2}}), std::invalid_argument);
  Attention mixed;
  mixed.rope = Rope::mixed;
  EXPECT_THROW(attention_answers(mixed), std::invalid_argument);
  Attention odd;
  odd.rotary_width = 3;
  EXPECT_THROW(attention_answers(odd), std::invalid_argument);
}

TEST(MlpAnswers, ElementByElementAndInAnotherOrder) {
  constexpr Eigen::Index inter = 10;
  const RowMajorMatrix gate = random(inter, model_width, 30), up = random(inter, model_width, 31),
                       down = random(model_width, inter, 32);
  const Vector none = Vector::Zero(inter), zero = Vector::Zero(model_width);
  const auto silu = [](double x) { return x / (1 + std::exp(-x)); };
  const auto x = states();
  const Eigen::Map<const RowMajorMatrix> rows(x.data(), count, model_width);
  const auto as_vector = [](const RowMajorMatrix& m) {
    return std::vector<double>(m.data(), m.data() + m.size());
  };
  const RowMajorMatrix gated =
      ((rows * gate.transpose()).unaryExpr(silu).array() * (rows * up.transpose()).array()).matrix() *
      down.transpose();
  const RowMajorMatrix plain = (rows * up.transpose()).unaryExpr(silu) * down.transpose();
  expect_near(mlp_answers(map_of(gate, none), map_of(up, none), map_of(down, zero), x), as_vector(gated),
              1e-12);
  expect_near(mlp_answers({}, map_of(up, none), map_of(down, zero), x), as_vector(plain), 1e-12);

  Eigen::PermutationMatrix<Eigen::Dynamic> order(inter);
  order.setIdentity();
  std::rotate(order.indices().data(), order.indices().data() + 3, order.indices().data() + inter);
  const Vector scale = random(inter, 1, 33).array() + 3;
  const RowMajorMatrix other_up = scale.asDiagonal() * (order * up);
  const RowMajorMatrix other_down = down * order.transpose() * scale.cwiseInverse().asDiagonal();
  expect_near(mlp_answers(map_of(order * gate, none), map_of(other_up, none), map_of(other_down, zero), x),
              as_vector(gated), 1e-12);
}

TEST(NormaliseRows, RootMeanSquareOneAndZerosStay) {
  std::vector<double> rows{3, 4, 0, 0, 1, 3};
  normalise_rows(rows, 2);
  EXPECT_NEAR(rows[0] * rows[0] + rows[1] * rows[1], 2, 1e-15);
  EXPECT_EQ(rows[2], 0);
  std::vector<double> centred{1, 3};
  centre_rows(centred, 2);
  normalise_rows(centred, 2);
  expect_near(centred, {-1, 1}, 1e-15);
}

}  // namespace
}  // namespace stemma
