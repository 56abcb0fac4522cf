// Is the merged model what dense arithmetic makes of base and factors, whichever way round they are stored?
#include "io/formats/merged_adapter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "io/formats/file_reader.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using fixtures::TemporaryDirectory;

/// A matrix that knows its name.
struct MadeMerged {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

class Merged : public ::testing::Test {
 protected:
  MadeMerged random(std::string name, std::vector<std::uint64_t> shape) {
    std::uint64_t n = 1;
    for (const std::uint64_t d : shape) n *= d;
    MadeMerged made{std::move(name), std::move(shape), std::vector<float>(n)};
    std::normal_distribution<float> normal;
    for (float& value : made.values) value = normal(random_);
    return made;
  }

  void write(const std::string& file, const std::vector<MadeMerged>& tensors) {
    std::string header = "{", data;
    for (const MadeMerged& made : tensors) {
      const std::size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(made.values.data()), made.values.size() * 4);
      header +=
          fmt::format(R"({}"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                      header == "{" ? "" : ",", made.name, fmt::join(made.shape, ","), begin, data.size());
    }
    directory_.write(file, fixtures::safetensors(header + "}", data));
  }
  void adapter(const std::vector<MadeMerged>& tensors, const std::string& more) {
    directory_.write(
        "adapter/adapter_config.json",
        R"({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "base_model_name_or_path": "a/b")" + more + "}");
    write("adapter/adapter_model.safetensors", tensors);
  }
  std::string location() const { return directory_.path("base") + "+" + directory_.path("adapter"); }

  std::vector<float> read(const Checkpoint& model, const std::string& name) {
    const auto tensor = std::ranges::find(model.tensors, name, &StoredTensor::name);
    EXPECT_NE(tensor, model.tensors.end()) << name;
    std::vector<float> values(tensor->elements());
    FileReader reader;
    reader.read(source_of(model.files[tensor->file], *tensor), tensor->offset,
                std::as_writable_bytes(std::span(values)));
    return values;
  }

  TemporaryDirectory directory_;
  std::mt19937 random_{11};
};

/// W + s B A in long double, W and the result (out, in).
std::vector<long double> dense(const MadeMerged& w, const MadeMerged& b, const MadeMerged& a, double s) {
  const std::size_t out = b.shape[0], r = b.shape[1], in = a.shape[1];
  std::vector<long double> merged(out * in);
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < in; ++i) {
      long double sum = 0;
      for (std::size_t k = 0; k < r; ++k)
        sum += static_cast<long double>(b.values[o * r + k]) * a.values[k * in + i];
      merged[o * in + i] = w.values[o * in + i] + s * sum;
    }
  return merged;
}
void expect_near(const std::vector<float>& values, const std::vector<long double>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_LE(std::abs(static_cast<double>(values[i] - expected[i])),
              0.5001 * std::abs(std::nextafterf(values[i], 2 * values[i] + 1) - values[i]))
        << i;
}

const std::string q_module = "model.layers.0.self_attn.q_proj", peft = "base_model.model.";

TEST_F(Merged, IsTheDenseSumRoundedOnce) {
  const MadeMerged w = random(q_module + ".weight", {7, 5}),
                   a = random(peft + q_module + ".lora_A.weight", {3, 5}),
                   b = random(peft + q_module + ".lora_B.weight", {7, 3});
  write("base/model.safetensors", {w});
  for (const auto& [more, scale] :
       {std::pair("", 2.0), std::pair(R"(, "use_rslora": true)", 6 / std::sqrt(3.0)),
        std::pair(R"(, "alpha_pattern": {"q_proj": 3})", 1.0)}) {
    adapter({a, b}, more);
    const Checkpoint model = open_checkpoint(location());
    expect_near(read(model, w.name), dense(w, b, a, scale));
    ASSERT_EQ(model.files.size(), 2U);
    ASSERT_EQ(model.claims.size(), 1U);
    EXPECT_EQ(model.claims[0].base, "a/b");
    EXPECT_EQ(model.tensors[0].stored_bytes(), 4 * (35 + 15 + 21));
  }
}

TEST_F(Merged, RunsOfItAreThoseOfTheWhole) {
  const MadeMerged w = random(q_module + ".weight", {7, 5}),
                   a = random(peft + q_module + ".lora_A.weight", {3, 5}),
                   b = random(peft + q_module + ".lora_B.weight", {7, 3});
  write("base/model.safetensors", {w});
  adapter({a, b}, "");
  const Checkpoint model = open_checkpoint(location());
  const std::vector<float> whole = read(model, w.name);
  FileReader reader;
  const SourceFile source = source_of(model.files[0], model.tensors[0]);
  for (std::size_t first = 0; first < whole.size(); ++first) {
    std::vector<float> run(std::min<std::size_t>(9, whole.size() - first));
    reader.read(source, 4 * first, std::as_writable_bytes(std::span(run)));
    EXPECT_TRUE(std::equal(run.begin(), run.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
  }
}

TEST_F(Merged, TurnedWeightsAndEmbeddings) {
  const auto turned = [](const MadeMerged& m) {
    MadeMerged out{m.name, {m.shape[1], m.shape[0]}, std::vector<float>(m.values.size())};
    for (std::size_t r = 0; r < m.shape[0]; ++r)
      for (std::size_t c = 0; c < m.shape[1]; ++c)
        out.values[c * m.shape[0] + r] = m.values[r * m.shape[1] + c];
    return out;
  };
  const auto turned_back = [](const std::vector<float>& m, std::size_t rows, std::size_t cols) {
    std::vector<float> out(m.size());
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < cols; ++c) out[c * rows + r] = m[r * cols + c];
    return out;
  };
  for (const std::uint64_t in : {5U, 7U}) {  // 7 x 7 does not show which way round it is
    const MadeMerged w = random("h.0.attn.c_attn.weight", {7, in}),
                     a = random(peft + "transformer.h.0.attn.c_attn.lora_A.weight", {3, in}),
                     b = random(peft + "transformer.h.0.attn.c_attn.lora_B.weight", {7, 3});
    write("base/model.safetensors", {turned(w)});
    adapter({a, b}, R"(, "fan_in_fan_out": true)");
    expect_near(turned_back(read(open_checkpoint(location()), w.name), in, 7), dense(w, b, a, 2));
  }
  const MadeMerged e = random("wte.weight", {9, 4}), a = random(peft + "wte.lora_embedding_A", {3, 9}),
                   b = random(peft + "wte.lora_embedding_B", {4, 3});
  write("base/model.safetensors", {e});
  adapter({a, b}, "");
  expect_near(turned_back(read(open_checkpoint(location()), "wte.weight"), 9, 4), dense(turned(e), b, a, 2));
}

TEST_F(Merged, DoraScalesEveryOutputToItsMagnitude) {
  const MadeMerged w = random(q_module + ".weight", {7, 5}),
                   a = random(peft + q_module + ".lora_A.weight", {3, 5}),
                   b = random(peft + q_module + ".lora_B.weight", {7, 3});
  for (const char* ending : {".lora_magnitude_vector", ".lora_magnitude_vector.weight"}) {
    MadeMerged m = random(peft + q_module + ending, {7});
    for (float& value : m.values) value = std::abs(value);
    write("base/model.safetensors", {w});
    adapter({a, b, m}, R"(, "use_dora": true)");
    std::vector<long double> expected = dense(w, b, a, 2);
    for (std::size_t o = 0; o < 7; ++o) {
      long double square = 0;
      for (std::size_t i = 0; i < 5; ++i) square += expected[o * 5 + i] * expected[o * 5 + i];
      for (std::size_t i = 0; i < 5; ++i) expected[o * 5 + i] *= m.values[o] / std::sqrt(square);
    }
    expect_near(read(open_checkpoint(location()), w.name), expected);
  }
  adapter({a, b}, R"(, "use_dora": true)");
  EXPECT_EQ(rule_of_refusal([&] { open_checkpoint(location()); }), "adapter.magnitude_missing");
}

TEST_F(Merged, WholeTensorsReplaceThoseOfTheBase) {
  const MadeMerged w = random(q_module + ".weight", {7, 5}), bias = random(q_module + ".bias", {7}),
                   a = random(peft + q_module + ".lora_A.weight", {3, 5}),
                   b = random(peft + q_module + ".lora_B.weight", {7, 3}),
                   trained = random(peft + q_module + ".bias", {7}),
                   stray = random(peft + "score.weight", {2, 5});
  write("base/model.safetensors", {w, bias});
  adapter({a, b, trained, stray}, R"(, "init_lora_weights": "pissa_niter_4")");
  const Checkpoint model = open_checkpoint(location());
  EXPECT_EQ(read(model, bias.name), trained.values);
  std::vector<std::string> rules;
  for (const Finding& finding : model.findings) rules.push_back(finding.rule);
  EXPECT_NE(std::ranges::find(rules, "adapter.unused_tensor"), rules.end());
  EXPECT_NE(std::ranges::find(rules, "adapter_changes_base"), rules.end());
}

TEST_F(Merged, RefusesWhatDoesNotFit) {
  const MadeMerged w = random(q_module + ".weight", {7, 5}),
                   a = random(peft + q_module + ".lora_A.weight", {3, 5});
  write("base/model.safetensors", {w});
  adapter({a, random(peft + q_module + ".lora_B.weight", {8, 3})}, "");
  EXPECT_EQ(rule_of_refusal([&] { open_checkpoint(location()); }), "adapter.shape_mismatch");
  adapter({random(peft + "other.lora_A.weight", {3, 5}), random(peft + "other.lora_B.weight", {7, 3})}, "");
  EXPECT_EQ(rule_of_refusal([&] { open_checkpoint(location()); }), "adapter.module_not_in_base");
  adapter({a, random(peft + q_module + ".lora_B.weight", {7, 3}),
           random(peft + "layers.0.self_attn.q_proj.lora_A.weight", {3, 5}),
           random(peft + "layers.0.self_attn.q_proj.lora_B.weight", {7, 3})},
          "");
  EXPECT_EQ(rule_of_refusal([&] { open_checkpoint(location()); }), "adapter.module_twice");
}

}  // namespace
}  // namespace stemma
