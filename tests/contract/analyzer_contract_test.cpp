// Does every analyzer of the catalogue keep the promises that the others rely on?
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "tests/analyzers/toy_model.hpp"

namespace stemma {
namespace {

using namespace toy;

struct Fill {
  std::string name;
  std::function<std::vector<double>(std::size_t n, unsigned seed)> values;
};

std::vector<Fill> fills() {
  const auto same = [](double x) {
    return [x](std::size_t n, unsigned) { return std::vector<double>(n, x); };
  };
  return {{"gaussian", [](std::size_t n, unsigned seed) { return gaussian(n, 0.02, seed); }},
          {"constant", same(0.25)},
          {"zero", same(0)},
          {"all_nan", same(std::numeric_limits<double>::quiet_NaN())},
          {"one_nan",
           [](std::size_t n, unsigned seed) {
             auto out = gaussian(n, 1, seed);
             out[n / 2] = std::numeric_limits<double>::quiet_NaN();
             return out;
           }},
          {"infinite", same(std::numeric_limits<double>::infinity())},
          {"huge_range", [](std::size_t n, unsigned seed) {
             auto out = gaussian(n, 1, seed);
             for (std::size_t i = 0; i < n; ++i) out[i] *= i % 2 == 0 ? 1e38 : 1e-38;
             return out;
           }}};
}

struct Shape {
  std::string name;
  std::uint64_t d, heads, head_dim, inter;
};
const std::vector<Shape> shapes = {
    {"one_by_one", 1, 1, 1, 1}, {"tall", 3, 4, 8, 70}, {"wide", 96, 1, 2, 2}, {"square", 16, 2, 8, 16}};

ToyModel model_of(const Fill& fill, const Shape& shape, Dtype dtype) {
  ToyModel model(dtype);
  const auto heads = static_cast<std::int64_t>(shape.heads);
  model.model.dims = {{"heads", heads}, {"kv_heads", heads}};
  const std::uint64_t width = shape.heads * shape.head_dim;
  unsigned seed = 1;
  const auto add = [&](const Role& r, std::uint64_t rows, std::uint64_t cols) {
    model.add(r, rows, cols, fill.values(rows * std::max<std::uint64_t>(cols, 1), seed++));
  };
  for (int l = 0; l < 2; ++l) {
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v}) add(role(l, part), width, shape.d);
    add(role(l, Part::attn_o), shape.d, width);
    add(role(l, Part::mlp_gate), shape.inter, shape.d);
    add(role(l, Part::mlp_up), shape.inter, shape.d);
    add(role(l, Part::mlp_down), shape.d, shape.inter);
    add(role(l, Part::norm_pre_attn), shape.d, 0);
    add(role(l, Part::attn_q, -1, Kind::bias), width, 0);
  }
  add({Stack::decoder, -1, Part::embed, -1, Kind::weight}, 11, shape.d);
  model.model.anchors = choose_anchors({}, 11);
  return model;
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// Equal to the last bit, NaN included.
void expect_equal(const Features& a, const Features& b, const std::string& where) {
  EXPECT_EQ(a.status, b.status) << where;
  EXPECT_EQ(a.counts, b.counts) << where;
  EXPECT_EQ(a.integers, b.integers) << where;
  ASSERT_EQ(a.numbers.size(), b.numbers.size()) << where;
  for (const auto& [name, x] : a.numbers)
    EXPECT_TRUE(same_bits(x, b.numbers.at(name))) << where << " " << name;
  for (const auto& [name, xs] : a.reals) {
    ASSERT_EQ(xs.size(), b.reals.at(name).size()) << where;
    for (std::size_t i = 0; i < xs.size(); ++i)
      EXPECT_TRUE(same_bits(xs[i], b.reals.at(name)[i])) << where << name;
  }
}

using Case = std::tuple<Fill, Shape, Dtype>;
class Contract : public testing::TestWithParam<Case> {};

TEST_P(Contract, AnswersTwiceTheSameAndHoweverTheStreamIsCut) {
  const auto& [fill, shape, dtype] = GetParam();
  ToyModel model = model_of(fill, shape, dtype);
  const Results first = measure_all(model), second = measure_all(model);
  const Results cut = measure_all(model, 24);
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [key, features] : first) {
    const std::string where = key.first + " " + key.second;
    expect_equal(features, second.at(key), where);
    expect_equal(features, cut.at(key), where + " cut");
  }
}

TEST_P(Contract, NoInputIsAFailure) {
  const auto& [fill, shape, dtype] = GetParam();
  ToyModel model = model_of(fill, shape, dtype);
  const Results results = measure_all(model);
  for (const auto& [key, features] : results) {
    EXPECT_TRUE(features.status == Status::ok || features.status == Status::nonfinite) << key.second;
  }
  const Fingerprint f = fingerprint(model, results);
  EXPECT_EQ(f.tensors.size(), model.model.matrices.size());
  for (const TensorMark& mark : f.tensors) EXPECT_TRUE(mark.known) << mark.role;
  const bool finite = fill.name != "all_nan" && fill.name != "infinite" && fill.name != "one_nan";
  const Status expected = finite ? Status::ok : Status::nonfinite;
  EXPECT_EQ(results.at({"histogram", "layers/0/attn.q"}).status, expected);
  for (const PairTest* test : pair_tests()) EXPECT_FALSE(test->compare(f, f, {}).empty());
}

std::string case_name(const testing::TestParamInfo<Case>& tested) {
  const Dtype dtype = std::get<Dtype>(tested.param);
  return std::get<Fill>(tested.param).name + "_" + std::get<Shape>(tested.param).name + "_" +
         std::string(name_of(dtype));
}

INSTANTIATE_TEST_SUITE_P(Inputs, Contract,
                         testing::Combine(testing::ValuesIn(fills()), testing::ValuesIn(shapes),
                                          testing::Values(Dtype::bf16, Dtype::f32)),
                         case_name);

TEST(Catalogue, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Analyzer* analyzer : catalogue()) {
    EXPECT_TRUE(names.insert(analyzer->name()).second);
    EXPECT_EQ(analyzer_named(analyzer->name()), analyzer);
    EXPECT_GE(analyzer->version(), 1);
  }
  for (const PairTest* test : pair_tests()) {
    EXPECT_EQ(pair_test_named(test->name()), test);
    for (const std::string_view needed : test->needs()) EXPECT_NE(analyzer_named(needed), nullptr) << needed;
  }
  EXPECT_EQ(analyzer_named("horoscope"), nullptr);
}

TEST(Catalogue, SubjectsAreUniqueOrderedAndPriced) {
  ToyModel model = model_of(fills()[0], shapes[3], Dtype::bf16);
  for (const Analyzer* analyzer : catalogue()) {
    const std::vector<Subject> subjects = analyzer->subjects(model.model, {});
    ASSERT_FALSE(subjects.empty());
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      EXPECT_EQ(subjects[i].analyzer, analyzer->name());
      EXPECT_TRUE(i == 0 || subjects[i - 1].path < subjects[i].path);
      std::vector<Input> inputs;
      for (const std::uint32_t m : subjects[i].matrices) {
        const Matrix& matrix = model.model.matrices[m];
        inputs.push_back({path_of(matrix, model.model.checkpoint), Dtype::bf16, matrix.rows, matrix.cols, 0});
      }
      for (const std::uint32_t t : subjects[i].stored) {
        const StoredTensor& tensor = model.model.checkpoint.tensors[t];
        inputs.push_back({tensor.name, tensor.dtype, tensor.shape.front(),
                          tensor.shape.size() > 1 ? tensor.shape[1] : 1, 0});
      }
      const Cost cost = analyzer->cost(subjects[i], inputs);
      EXPECT_GT(cost.bytes, 0) << subjects[i].path;
      EXPECT_GT(cost.memory, 0U);
      if (cost.decomposition) {
        EXPECT_GE(cost.decomposition->widest(), 1);
        EXPECT_GT(cost.decomposition->memory(1), 0U);
      }
    }
  }
  EXPECT_EQ(model.bytes_read(), 0U);
}

TEST(Catalogue, NamesOfFeaturesAreStable) {
  ToyModel model = model_of(fills()[0], shapes[3], Dtype::f32);
  std::map<std::string, std::set<std::string>> found;
  for (const auto& [key, f] : measure_all(model)) {
    auto& names = found[key.first];
    for (const auto& entry : f.numbers) names.insert(entry.first);
    for (const auto& entry : f.counts) names.insert(entry.first);
    for (const auto& entry : f.reals) names.insert(entry.first);
    for (const auto& entry : f.integers) names.insert(entry.first);
  }
  // Archives and their readers know these names: append only.
  const std::map<std::string, std::set<std::string>> golden = {
      {"content", {"bytes", "hash_hi", "hash_lo"}},
      {"histogram",
       {"abs_max",
        "abs_min_nonzero",
        "code",
        "count",
        "digest_hi",
        "digest_lo",
        "entropy_bits",
        "exactness",
        "frobenius_sq",
        "kind",
        "kurtosis_excess",
        "l1",
        "low_square_sum",
        "low_sum",
        "max",
        "mean",
        "min",
        "n",
        "n_distinct",
        "n_nan",
        "n_neg_inf",
        "n_neg_zero",
        "n_negative",
        "n_pos_inf",
        "n_pos_zero",
        "n_positive",
        "n_subnormal",
        "quantile",
        "skewness",
        "std_unbiased",
        "variance",
        "vector"}},
      {"intrinsic_fingerprint", {"edge_k", "edge_o", "edge_q", "edge_v", "square_norm"}},
      {"neuron_match",
       {"anchors", "first", "gated", "norm_first", "norm_product", "order", "reading", "second", "unit",
        "units"}},
      {"spectrum", {"attempts",       "cols",      "condition",           "count_below_tau",
                    "crosscheck_gap", "e_bound",   "e_estimate",          "effective_rank",
                    "energy_rank",    "entropy",   "error_model",         "exact_products",
                    "frobenius_sq",   "grid_cols", "grid_rows",           "method",
                    "min_eigenvalue", "norm_gap",  "participation_ratio", "probe_gap",
                    "rows",           "s1",        "square_gap",          "stable_rank",
                    "tail_exponent",  "tau",       "trace_gap",           "value"}},
      {"tensorguard",
       {"control_kurtosis", "control_mean", "control_norm", "control_repaired_kurtosis",
        "control_repaired_skewness", "control_skewness", "control_std", "kurtosis", "mean", "norm",
        "repaired_kurtosis", "repaired_skewness", "skewness", "spread_repaired_kurtosis", "std"}}};
  EXPECT_EQ(found, golden);
}

}  // namespace
}  // namespace stemma
