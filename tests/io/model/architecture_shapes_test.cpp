// Is every contradiction between shapes, configuration and table noticed, and nothing built upon it?
#include "io/model/architecture_shapes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/io/model/made_checkpoint.hpp"

namespace stemma {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using namespace test;

std::string config_with(const std::string& key, const std::string& value) {
  std::string config = llama_config();
  const auto at = config.find("\"" + key + "\": ") + key.size() + 4;
  config.replace(at, config.find_first_of(",}", at) - at, value);
  return config;
}

/// A llama whose tensor `name` has another shape.
MadeCheckpoint llama_with(const std::string& name, std::vector<std::uint64_t> shape) {
  return llama().drop(name).add(name, std::move(shape));
}

TEST(ArchitectureShapes, WidthOfTheModelHoldsForEveryTensor) {
  for (const auto& [name, shape, path] :
       {std::tuple("model.layers.1.self_attn.k_proj.weight", std::vector<std::uint64_t>{64, 100},
                   "layers/1/attn.k"),
        std::tuple("model.layers.1.mlp.down_proj.weight", std::vector<std::uint64_t>{129, 344},
                   "layers/1/mlp.down"),
        std::tuple("model.layers.2.input_layernorm.weight", std::vector<std::uint64_t>{127},
                   "layers/2/norm.pre_attn"),
        std::tuple("lm_head.weight", std::vector<std::uint64_t>{256, 64}, "lm_head")}) {
    const Model model = canonical(llama_with(name, shape));
    EXPECT_THAT(rules(model), ElementsAre("shape_mismatch")) << name;
    EXPECT_EQ(finding(model, "shape_mismatch").tensor, name);
    EXPECT_THAT(paths(model), Not(Contains(path)));
    EXPECT_THAT(paths(model), Contains(std::string("unknown/") + name));
  }
}

TEST(ArchitectureShapes, WidthsInsideALayerMayVary) {
  MadeCheckpoint pruned = llama();
  for (const std::string part : {"gate_proj", "up_proj"}) {
    pruned.drop("model.layers.2.mlp." + part + ".weight")
        .add("model.layers.2.mlp." + part + ".weight", {200, 128});
  }
  pruned.drop("model.layers.2.mlp.down_proj.weight").add("model.layers.2.mlp.down_proj.weight", {128, 200});
  const Model model = canonical(pruned);
  EXPECT_THAT(rules(model), Each("config_shape_mismatch"));
  EXPECT_EQ(matrix(model, "layers/2/mlp.up").rows, 200U);
  EXPECT_EQ(model.dim("inter"), 344);
}

TEST(ArchitectureShapes, ExchangedAxesCastDoubtOnSquares) {
  // Linear layers under the names of Conv1D layers: c_proj of the attention is square and tells nothing.
  MadeCheckpoint linear = gpt2();
  for (const std::string layer : {"h.0.", "h.1."}) {
    linear.drop(layer + "attn.c_attn.weight").add(layer + "attn.c_attn.weight", {36, 12});
    linear.drop(layer + "mlp.c_fc.weight").add(layer + "mlp.c_fc.weight", {48, 12});
    linear.drop(layer + "mlp.c_proj.weight").add(layer + "mlp.c_proj.weight", {12, 48});
  }
  const Model model = canonical(linear);
  int contradicted = 0;
  for (const Matrix& found : model.matrices) {
    if (found.vector || found.role.layer < 0) continue;
    ADD_FAILURE() << path_of(found, model.checkpoint) << " has a role";
  }
  for (const Finding& found : model.findings) contradicted += found.rule == "layout_contradicted" ? 1 : 0;
  EXPECT_EQ(contradicted, 4);  // per kind of tensor, with the number of the others
  const Model turned = canonical(llama_with("model.layers.0.mlp.up_proj.weight", {128, 344}));
  EXPECT_EQ(finding(turned, "layout_contradicted").tensor, "model.layers.0.mlp.up_proj.weight");
  EXPECT_EQ(turned.find({.layer = 0, .part = Part::attn_q}), nullptr);
  EXPECT_NE(turned.find({.layer = 0, .part = Part::mlp_down}), nullptr);
}

TEST(ArchitectureShapes, HeadsShareKeysInEqualGroups) {
  MadeCheckpoint made(config_with("num_key_value_heads", "3"));
  for (const StoredTensor& tensor : llama().take().tensors) {
    const bool few =
        tensor.name.find("k_proj") != std::string::npos || tensor.name.find("v_proj") != std::string::npos;
    made.add(tensor.name, few ? std::vector<std::uint64_t>{96, 128} : tensor.shape);
  }
  const Model model = canonical(made);  // 3 x 32 rows: every shape fits
  EXPECT_THAT(rules(model), ElementsAre("config.value"));
  EXPECT_EQ(finding(model, "config.value").found, "3 and 4");
  EXPECT_FALSE(model.dim("heads"));
  EXPECT_FALSE(model.dim("kv_heads"));
}

TEST(ArchitectureShapes, DefaultsThatDoNotComeOutEvenAreSaid) {
  const Model model = canonical(gpt2().config(R"({"model_type": "gpt2", "n_embd": 12, "n_head": 5})"));
  EXPECT_EQ(finding(model, "dims_unresolved").expected, "head_dim = hidden / heads");
  EXPECT_EQ(finding(model, "dims_unresolved").found, "12 / 5 is not whole");
  EXPECT_FALSE(model.dim("head_dim"));
}

TEST(ArchitectureShapes, NumbersTooLargeToMultiplyAreAContradiction) {
  std::string config = config_with("num_attention_heads", "1099511627776");
  config.replace(config.find("\"head_dim\": 32"), 14, "\"head_dim\": 1099511627776");
  const Model model = canonical(llama(3, config));
  EXPECT_THAT(model.findings, Contains(testing::Field(&Finding::expected, testing::HasSubstr("too large"))));
  EXPECT_FALSE(model.dim("heads"));
  EXPECT_FALSE(model.dim("head_dim"));
}

TEST(ArchitectureShapes, OnlyAFewMoreRowsArePadding) {
  EXPECT_TRUE(is_padding(50304, 50257));
  EXPECT_FALSE(is_padding(50257, 50257));
  EXPECT_FALSE(is_padding(50257 + 8192, 50257));
  EXPECT_FALSE(is_padding(200, 100));
  const Model model = canonical(llama(3, config_with("vocab_size", "1")));
  EXPECT_EQ(finding(model, "config_shape_mismatch").expected, "vocab 1 (config.json)");
  EXPECT_EQ(model.dim("vocab"), 256);
}

TEST(ArchitectureShapes, CodesMeasureNothing) {
  MadeCheckpoint packed = llama();
  for (const std::string layer : {"0", "1", "2"}) {
    const std::string name = "model.layers." + layer + ".mlp.up_proj.weight";
    packed.drop(name).add(name, {344 * 64, 1}, Dtype::u8);
  }
  const Model model = canonical(packed);
  EXPECT_EQ(model.dim("inter"), 344);
  EXPECT_THAT(rules(model), Not(Contains("config_shape_mismatch")));
}

TEST(ArchitectureShapes, DimensionsThatTheTensorsDisagreeAboutAreUnknown) {
  const std::string config = R"({"model_type": "mixtral", "hidden_size": 8, "num_attention_heads": 2,
    "num_key_value_heads": 1, "intermediate_size": 5})";
  MadeCheckpoint odd = mixtral(true).config(config);
  for (const std::string layer : {"0", "1"}) {
    const std::string name = "model.layers." + layer + ".mlp.experts.down_proj";
    odd.drop(name).add(name, {3, 8, 6});
  }
  EXPECT_EQ(canonical(odd).dim("inter"), 6);  // no other axis consists of this dimension
  MadeCheckpoint experts = mixtral(true).config(config);
  experts.drop("model.layers.0.mlp.gate.weight").add("model.layers.0.mlp.gate.weight", {4, 8});
  const Model disagreeing = canonical(experts);
  EXPECT_EQ(finding(disagreeing, "dims_unresolved").expected, "one size of experts");
  EXPECT_FALSE(disagreeing.dim("experts"));
  MadeCheckpoint separate = mixtral(false);
  for (const std::string layer : {"0", "1"}) {
    for (const std::string expert : {"0", "1", "2"}) {
      const std::string name = "model.layers." + layer + ".block_sparse_moe.experts." + expert + ".w2.weight";
      separate.drop(name).add(name, {8, 6});
    }
  }
  EXPECT_FALSE(canonical(separate).dim("inter"));  // w1 and w3 say 5, w2 says 6
}

TEST(ArchitectureShapes, TensorsSayWhatTheConfigurationDoesNot) {
  const Model model = canonical(mixtral(true).config(""));
  EXPECT_EQ(model.family, "mixtral");
  EXPECT_EQ(model.dim("inter"), 5);
  EXPECT_EQ(model.dim("experts"), 3);
  EXPECT_EQ(matrix(model, "layers/1/moe.expert.up/2").rows, 5U);
  EXPECT_EQ(paths(model), paths(canonical(mixtral(true))));
}

TEST(ArchitectureShapes, AttentionAloneIsNoMixture) {
  MadeCheckpoint made("");
  for (const StoredTensor& tensor : llama().take().tensors) {
    if (tensor.name.find("mlp.") == std::string::npos) made.add(tensor.name, tensor.shape);
  }
  EXPECT_EQ(canonical(made).family, "");
}

TEST(ArchitectureShapes, BiasesAreAsLongAsTheirWeights) {
  MadeCheckpoint made = llama();
  made.add("model.layers.0.self_attn.q_proj.bias", {128}).add("model.layers.1.self_attn.q_proj.bias", {64});
  const Model model = canonical(made);
  EXPECT_THAT(rules(model), ElementsAre("shape_mismatch"));
  EXPECT_THAT(paths(model), Contains("layers/0/attn.q.bias"));
  EXPECT_THAT(paths(model), Contains("unknown/model.layers.1.self_attn.q_proj.bias"));
  EXPECT_EQ(paths(model).back(), "unknown/model.layers.1.self_attn.q_proj.bias");
}

TEST(ArchitectureShapes, AHeadThatCannotBeUsedIsNoTiedHead) {
  const Model packed =
      canonical(llama(3, "").drop("lm_head.weight").add("lm_head.weight", {256, 64}, Dtype::i8));
  EXPECT_EQ(packed.find({.part = Part::lm_head}), nullptr);
  EXPECT_FALSE(packed.tied_head);
  EXPECT_FALSE(canonical(llama(3, "").add("module.lm_head.weight", {256, 128})).tied_head);
  const std::string tied = config_with("tie_word_embeddings", "true");
  EXPECT_THAT(rules(canonical(llama(3, tied))), IsEmpty());
  const Model longer = canonical(llama(3, tied).drop("lm_head.weight").add("lm_head.weight", {320, 128}));
  EXPECT_EQ(finding(longer, "tie_violated").found, "320 x 128");
}

TEST(ArchitectureShapes, AFewBytesDoNotAskForMuchMemory) {
  const Model deep = canonical(llama().add("model.layers.999999.input_layernorm.weight", {128}));
  EXPECT_EQ(deep.layers(), 3);
  EXPECT_EQ(finding(deep, "layer_number").found, "999999");
  MadeCheckpoint stacks = mixtral(true);  // 32 stacks of 2 x 60,000 experts: holes in a file cost nothing
  for (int layer = 2; layer < 34; ++layer) {
    stacks.add("model.layers." + std::to_string(layer) + ".mlp.experts.gate_up_proj", {60'000, 10, 8});
  }
  const Model model = canonical(stacks, "mixtral");
  EXPECT_LE(model.matrices.size(), std::size_t{1} << 20);
  EXPECT_THAT(rules(model), Contains("limit.experts"));
  EXPECT_EQ(matrix(model, "layers/1/moe.expert.up/2").rows, 5U);
}

TEST(ArchitectureShapes, LayoutsNeedTheirAxesEvenWithoutAShape) {
  std::string pattern = (std::filesystem::temp_directory_path() / "stemma-layouts-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  std::ofstream(directory / "odd.yaml") << R"(schema: stemma.architecture/1
family: odd
match: {needs: ["e.weight"]}
dims: {hidden: {keys: [h]}}
tensors:
  - {name: e.weight, role: embed, shape: [9, hidden]}
  - {name: stack, role: other, layout: e_out_in}
  - {name: turned, role: other, layout: in_out}
)";
  const auto tables = ArchitectureTables::load({directory});
  std::filesystem::remove_all(directory);
  for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{}, {4}, {4, 3, 2, 1}}) {
    MadeCheckpoint made;
    made.add("e.weight", {9, 4}).add("stack", shape).add("turned", shape);
    const Model model = tables.canonicalise(made.take(), "odd");
    EXPECT_EQ(paths(model), (std::vector<std::string>{"embed", "unknown/stack", "unknown/turned"}));
    EXPECT_THAT(rules(model), Contains("shape_mismatch"));
  }
}

}  // namespace
}  // namespace stemma
