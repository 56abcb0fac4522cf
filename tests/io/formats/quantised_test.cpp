// Which tensors are taken for parts of quantised weights, what is left of the others, and what is said?
#include "io/formats/quantised.hpp"

#include <gtest/gtest.h>

#include "io/formats/quantised_config.hpp"
#include "tests/io/formats/quantised_fixture.hpp"

namespace stemma {
namespace {

using namespace ::testing;
using namespace fixtures;

std::vector<std::string> quantised_names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const StoredTensor& tensor : checkpoint.tensors) names.push_back(tensor.name);
  return names;
}

/// MODULE.weight of two FP8 values with one scale.
void put_module(Forge& forge, const std::string& module) {
  forge.put<std::uint8_t>(module + ".weight", "F8_E4M3", {1, 2}, {0x38, 0x40});  // 1 and 2
  forge.put<float>(module + ".weight_scale", "F32", {1}, {0.5F});
}

constexpr const char* fp8 = R"({"quantization_config":{"quant_method":"fp8"}})";

TEST(Quantised, LeavesPlainModelsAsTheyAre) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.put<float>("m.weight", "F32", {1, 2}, {1, 2});
  forge.put<float>("m.bias", "F32", {1}, {1});
  forge.put<float>("attention.scales", "F32", {1}, {1});
  forge.put<float>("k_scale", "F32", {1}, {1});
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(quantised_names_of(checkpoint),
            (std::vector<std::string>{"attention.scales", "k_scale", "m.bias", "m.weight"}));
  EXPECT_TRUE(checkpoint.findings.empty());
}

TEST(Quantised, ReplacesPartsInTheOrderOfNames) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.config = fp8;
  forge.put<float>("z.weight", "F32", {1, 2}, {1, 2});
  put_module(forge, "b");
  forge.put<float>("b.bias", "F32", {1}, {1});
  put_module(forge, "a");
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(quantised_names_of(checkpoint),
            (std::vector<std::string>{"a.weight", "b.bias", "b.weight", "z.weight"}));
  EXPECT_TRUE(checkpoint.findings.empty());
  const StoredTensor& a = checkpoint.tensors[0];
  EXPECT_EQ(a.bytes, 8U);
  EXPECT_EQ(a.stored_bytes(), 6U);
  EXPECT_EQ(values_of(checkpoint, a), (std::vector<float>{0.5F, 1.0F}));
  EXPECT_EQ(quantisation_words(Decoding{.codec = "strided"}), "");
}

TEST(Quantised, ScalesOfActivationsAreToldOnceAndLeftOut) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.config = fp8;
  for (int layer = 0; layer < 3; ++layer) {
    put_module(forge, fmt::format("layers.{}.q", layer));
    forge.put<float>(fmt::format("layers.{}.q.input_scale", layer), "F32", {1}, {1});
    forge.put<float>(fmt::format("layers.{}.k_scale", layer), "F32", {1}, {1});
  }
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(checkpoint.tensors.size(), 3U);
  ASSERT_EQ(checkpoint.findings.size(), 2U);
  for (const Finding& finding : checkpoint.findings) {
    EXPECT_EQ(finding.rule, "quant.activation_scale");
    EXPECT_EQ(finding.severity, Severity::note);
    EXPECT_EQ(finding.found, "and 2 more like it");
  }
}

TEST(Quantised, OneBadModuleLosesItsWeightOnly) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.config = fp8;
  put_module(forge, "a");
  put_module(forge, "b");
  forge.part("b.weight_scale").dtype = "U32";
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(quantised_names_of(checkpoint), (std::vector<std::string>{"a.weight"}));
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].rule, "quant.shape");
  EXPECT_EQ(checkpoint.findings[0].severity, Severity::warning);
  EXPECT_EQ(checkpoint.findings[0].tensor, "b.weight_scale");
  EXPECT_EQ(checkpoint.findings[0].file, "model.safetensors");
}

TEST(Quantised, SchemesThatAreNotRead) {
  const TemporaryDirectory directory;
  for (const char* part : {"q_weight", "trellis", "W_q", "codebooks", "Qidxs", "B_24", "weight_bitmask"}) {
    Forge forge;
    forge.put<float>("norm.weight", "F32", {1}, {1});
    forge.put<std::int32_t>(std::string("m.") + part, "I32", {1, 2}, {1, 2});
    const Checkpoint checkpoint = forge.open(directory);
    EXPECT_EQ(quantised_names_of(checkpoint), (std::vector<std::string>{"norm.weight"})) << part;
    EXPECT_EQ(rules_of(checkpoint), (std::set<std::string>{"quant.unsupported"})) << part;
  }
  Forge mlx;
  mlx.put<std::uint32_t>("m.weight", "U32", {1, 2}, {1, 2});
  mlx.put<float>("m.scales", "F32", {1}, {1});
  mlx.put<float>("m.biases", "F32", {1}, {1});
  EXPECT_TRUE(rules_of(mlx.open(directory)).contains("quant.unsupported"));
  EXPECT_TRUE(mlx.open(directory).tensors.empty());
  Forge unknown;
  unknown.config = R"({"quantization_config":{"quant_method":"hqq"}})";
  unknown.put<float>("m.weight", "BF16", {1, 2}, {1});  // two values
  unknown.put<float>("m.weight_scale", "F32", {1}, {1});
  const Checkpoint checkpoint = unknown.open(directory);
  EXPECT_TRUE(checkpoint.tensors.empty());
  EXPECT_EQ(rules_of(checkpoint), (std::set<std::string>{"quant.unsupported", "quant_config_mismatch"}));
}

TEST(Quantised, AConfigurationThatNoTensorConfirms) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.config = R"({"quantization_config":{"quant_method":"gptq","bits":4}})";
  forge.put<float>("m.weight", "F32", {1, 2}, {1, 2});
  EXPECT_EQ(rules_of(forge.open(directory)), (std::set<std::string>{"quant_config_mismatch"}));
  put_module(forge, "a");
  EXPECT_EQ(rules_of(forge.open(directory)), (std::set<std::string>{"quant_config_mismatch"}));
  forge.config = "{}";
  EXPECT_TRUE(forge.open(directory).findings.empty());
}

TEST(Quantised, ConfigurationsInAllPlaces) {
  const TemporaryDirectory directory;
  const auto read = [&](const std::string& text) { return quantisation_config(text, directory.path()); };
  EXPECT_FALSE(read("").is_present());
  EXPECT_FALSE(read("{}").is_present());
  EXPECT_FALSE(read("[").is_present());
  EXPECT_EQ(read(R"({"text_config":{"quantization_config":{"quant_method":"FP8"}}})").method, "fp8");
  EXPECT_EQ(read(R"({"compression_config":{"quant_method":"compressed-tensors"}})").method,
            "compressed-tensors");
  const auto block =
      read(R"({"quantization_config":{"quant_method":"fp8","weight_block_size":[128,64]}})").block;
  EXPECT_EQ(block, (std::pair<std::int64_t, std::int64_t>{128, 64}));
  const auto mixed =
      read(R"({"quantization_config":{"config_groups":{"a":{"weights":{"num_bits":4,"group_size":32}},
                             "b":{"weights":{"num_bits":8,"group_size":32}}}}})");
  EXPECT_EQ(mixed.bits, std::nullopt);
  EXPECT_EQ(mixed.group_size, 32);
  const auto odd = read(
      R"({"quantization_config":{"quant_method":7,"bits":"4","group_size":1e9,"weight_block_size":[1]}})");
  EXPECT_TRUE(odd.is_present());
  EXPECT_EQ(odd.method, "");
  EXPECT_EQ(odd.bits, std::nullopt);
  EXPECT_EQ(odd.block, std::nullopt);

  directory.write("hf_quant_config.json",
                  R"({"producer":{},"quantization":{"quant_algo":"NVFP4","group_size":16}})");
  EXPECT_EQ(read("{}").method, "nvfp4");
  directory.write("quant_config.json", R"({"zero_point":true,"q_group_size":64,"w_bit":4,"version":"GEMM"})");
  EXPECT_EQ(read("{}").method, "awq");
  EXPECT_EQ(read("{}").group_size, 64);
  EXPECT_EQ(read("{}").variant, "gemm");
  directory.write("quantize_config.json", "not JSON");
  EXPECT_EQ(read("{}").file, "quant_config.json");
  EXPECT_FALSE(read("").is_present()) << "without a config.json nothing beside the file counts";
}

}  // namespace
}  // namespace stemma
