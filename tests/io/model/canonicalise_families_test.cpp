// Do the shipped tables cut the tensors of their families where their authors did?
#include "io/model/canonicalise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/io/model/made_checkpoint.hpp"

namespace stemma {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace test;

TEST(CanonicaliseFamilies, Gpt2MasksGoAndBiasesStay) {
  const Model model = canonical(gpt2());
  EXPECT_EQ(model.family, "gpt2");
  EXPECT_EQ(std::set<std::string>({"ignored_buffer"}), [&] {
    const auto found = rules(model);
    return std::set<std::string>(found.begin(), found.end());
  }());
  EXPECT_TRUE(model.tied_head);
  EXPECT_EQ(model.norm, NormKind::layer);
  EXPECT_EQ(model.dim("inter"), 48);
  for (const Matrix& found : model.matrices) {
    const std::string& name = model.checkpoint.tensors[found.tensor].name;
    EXPECT_FALSE(name.ends_with("attn.bias") && !name.ends_with("c_attn.bias")) << name;
    EXPECT_FALSE(name.ends_with("masked_bias")) << name;
  }
  int which = 0;
  for (const char* part : {"attn.q", "attn.k", "attn.v"}) {
    const Matrix& weight = matrix(model, std::string("layers/1/") + part);
    const Matrix& bias = matrix(model, std::string("layers/1/") + part + ".bias");
    EXPECT_TRUE(weight.transposed);
    EXPECT_EQ(weight.steps, "transpose; split " + std::string(part) + " " + std::to_string(12 * which) + ":" +
                                std::to_string(12 * which + 12) + " of 36");
    ASSERT_EQ(std::pair(weight.rows, weight.cols), std::pair(std::uint64_t{12}, std::uint64_t{12}));
    EXPECT_TRUE(bias.vector);
    EXPECT_FALSE(bias.transposed);
    EXPECT_EQ(model.checkpoint.tensors[bias.tensor].name, "h.1.attn.c_attn.bias");
    for (std::uint64_t r = 0; r < 12; ++r) {
      EXPECT_EQ(stored_at(bias, r, 0), 12U * static_cast<unsigned>(which) + r);
      for (std::uint64_t c = 0; c < 12; ++c) {
        EXPECT_EQ(stored_at(weight, r, c), c * 36 + 12U * static_cast<unsigned>(which) + r);
      }
    }
    ++which;
  }
  const Matrix& down = matrix(model, "layers/0/mlp.down");
  EXPECT_EQ(std::pair(down.rows, down.cols), std::pair(std::uint64_t{12}, std::uint64_t{48}));
  EXPECT_EQ(stored_at(down, 5, 40), 40U * 12 + 5);
}

TEST(CanonicaliseFamilies, MixtralHasTheSameRolesInBothLayouts) {
  const Model separate = canonical(mixtral(false));
  const Model fused = canonical(mixtral(true));
  EXPECT_EQ(separate.family, "mixtral");
  EXPECT_EQ(fused.family, "mixtral");
  EXPECT_THAT(rules(separate), IsEmpty());
  EXPECT_THAT(rules(fused), IsEmpty());
  EXPECT_EQ(paths(separate), paths(fused));
  for (std::size_t i = 0; i < fused.matrices.size(); ++i) {
    EXPECT_EQ(fused.matrices[i].rows, separate.matrices[i].rows);
    EXPECT_EQ(fused.matrices[i].cols, separate.matrices[i].cols);
  }
  const Matrix& up = matrix(fused, "layers/1/moe.expert.up/2");
  EXPECT_EQ(up.steps, "expert 2 of 3; split moe.expert.up 5:10 of 10");
  EXPECT_EQ(stored_at(up, 3, 6), 2U * 80 + (5 + 3) * 8 + 6);
  const Matrix& down = matrix(fused, "layers/0/moe.expert.down/1");
  EXPECT_EQ(stored_at(down, 7, 4), 1U * 40 + 7 * 5 + 4);
}

TEST(CanonicaliseFamilies, MixedLayoutsAndMissingExpertsAreFound) {
  EXPECT_THAT(rules(canonical(mixtral(false).add("model.layers.1.mlp.gate.weight", {3, 8}))),
              testing::IsSupersetOf({"mixed_variants", "role_collision"}));
  const Model model = canonical(mixtral(false).drop("model.layers.1.block_sparse_moe.experts.1.w3.weight"));
  EXPECT_THAT(rules(model), ElementsAre("expert_gap"));
  MadeCheckpoint numbered = mixtral(false).drop("model.layers.1.block_sparse_moe.experts.1.w3.weight");
  const Model holed = canonical(numbered.add("model.layers.1.block_sparse_moe.experts.7.w3.weight", {5, 8}));
  EXPECT_EQ(finding(holed, "expert_gap").found, "3 in layer 1, the last of number 7");
}

TEST(CanonicaliseFamilies, NeoxHeadsAreUnwoven) {
  MadeCheckpoint made(R"({"model_type": "gpt_neox", "hidden_size": 12, "num_attention_heads": 3,
    "intermediate_size": 20, "vocab_size": 40, "num_hidden_layers": 1})");
  made.add("gpt_neox.embed_in.weight", {40, 12}).add("embed_out.weight", {40, 12});
  const auto both = [&](const std::string& name, std::vector<std::uint64_t> shape) {
    made.add("gpt_neox." + name + ".weight", shape).add("gpt_neox." + name + ".bias", {shape.front()});
  };
  both("final_layer_norm", {12});
  both("layers.0.input_layernorm", {12});
  both("layers.0.post_attention_layernorm", {12});
  both("layers.0.attention.query_key_value", {36, 12});
  both("layers.0.attention.dense", {12, 12});
  both("layers.0.mlp.dense_h_to_4h", {20, 12});
  both("layers.0.mlp.dense_4h_to_h", {12, 20});
  const Model model = canonical(made);
  EXPECT_EQ(model.family, "gpt_neox");
  EXPECT_THAT(rules(model), IsEmpty());
  const Matrix& k = matrix(model, "layers/0/attn.k");
  EXPECT_EQ(k.steps, "split attn.k 4:8 of every 12 of 36");
  for (std::uint64_t head = 0; head < 3; ++head) {
    for (std::uint64_t d = 0; d < 4; ++d) {
      const std::uint64_t stored = head * 12 + 4 + d;
      EXPECT_EQ(stored_at(k, 4 * head + d, 7), stored * 12 + 7);
      EXPECT_EQ(stored_at(matrix(model, "layers/0/attn.k.bias"), 4 * head + d, 0), stored);
    }
  }
}

MadeCheckpoint phi3(const std::string& config) {
  MadeCheckpoint made(config);
  made.add("model.embed_tokens.weight", {50, 16})
      .add("model.norm.weight", {16})
      .add("lm_head.weight", {50, 16});
  const std::string layer = "model.layers.0.";
  made.add(layer + "input_layernorm.weight", {16})
      .add(layer + "post_attention_layernorm.weight", {16})
      .add(layer + "self_attn.qkv_proj.weight", {16 + 4 + 4, 16})
      .add(layer + "self_attn.o_proj.weight", {16, 16})
      .add(layer + "mlp.gate_up_proj.weight", {22, 16})
      .add(layer + "mlp.down_proj.weight", {16, 11});
  return made;
}

TEST(CanonicaliseFamilies, Phi3IsCutByHeadCountsNotInThirds) {
  const Model model = canonical(phi3(
      R"({"model_type": "phi3", "hidden_size": 16, "num_attention_heads": 8, "num_key_value_heads": 2})"));
  EXPECT_EQ(model.family, "phi3");
  EXPECT_THAT(rules(model), IsEmpty());
  EXPECT_EQ(matrix(model, "layers/0/attn.q").rows, 16U);
  EXPECT_EQ(matrix(model, "layers/0/attn.k").steps, "split attn.k 16:20 of 24");
  EXPECT_EQ(matrix(model, "layers/0/attn.v").steps, "split attn.v 20:24 of 24");
  EXPECT_EQ(matrix(model, "layers/0/mlp.up").steps, "split mlp.up 11:22 of 22");
}

TEST(CanonicaliseFamilies, UnknownHeadsFailOnlyTheSplitThatNeedsThem) {
  const Model model = canonical(phi3(""));
  EXPECT_EQ(model.family, "phi3");
  EXPECT_EQ(finding(model, "dims_unresolved").tensor, "model.layers.0.self_attn.qkv_proj.weight");
  EXPECT_THAT(paths(model), Contains("unknown/model.layers.0.self_attn.qkv_proj.weight"));
  EXPECT_EQ(matrix(model, "layers/0/mlp.gate").rows, 11U);
  const Model wrong = canonical(phi3(
      R"({"model_type": "phi3", "hidden_size": 16, "num_attention_heads": 8, "num_key_value_heads": 4})"));
  EXPECT_THAT(rules(wrong), Contains("config_shape_mismatch"));
  EXPECT_EQ(wrong.find({.layer = 0, .part = Part::attn_q}), nullptr);
}

TEST(CanonicaliseFamilies, QwenBiasesTellItFromLlamaWithoutAConfig) {
  MadeCheckpoint biased = llama(3, "");
  for (const std::string layer : {"0", "1", "2"}) {
    biased.add("model.layers." + layer + ".self_attn.q_proj.bias", {128})
        .add("model.layers." + layer + ".self_attn.k_proj.bias", {64})
        .add("model.layers." + layer + ".self_attn.v_proj.bias", {64});
  }
  const Model by_names = canonical(biased);
  EXPECT_EQ(by_names.family, "qwen2");
  EXPECT_EQ(finding(by_names, "architecture_by_names").severity, Severity::note);
  EXPECT_EQ(canonical(llama(3, "")).family, "llama");
  EXPECT_EQ(canonical(biased.config(llama_config())).family,
            "llama");  // the claim holds: llama may have biases
  MadeCheckpoint normed = llama(3, "");
  for (const std::string layer : {"0", "1", "2"}) {
    normed.add("model.layers." + layer + ".self_attn.q_norm.weight", {32})
        .add("model.layers." + layer + ".self_attn.k_norm.weight", {32});
  }
  const Model qwen3 = canonical(normed);
  EXPECT_EQ(qwen3.family, "qwen3");
  EXPECT_EQ(qwen3.dim("head_dim"), 32);
  const Model llamafied = canonical(normed.config(llama_config()));
  EXPECT_EQ(llamafied.family, "qwen3");
  EXPECT_EQ(finding(llamafied, "architecture_claim").expected, "llama");
}

TEST(CanonicaliseFamilies, GainsOfGemmaAreOneMoreWhereItIsClaimed) {
  std::string config = llama_config();
  config.replace(config.find("LlamaForCausalLM"), 16, "GemmaForCausalLM");
  config.replace(config.find("\"llama\""), 7, "\"gemma\"");
  const Model gemma = canonical(llama(3, config));
  EXPECT_EQ(gemma.family, "gemma");
  for (const char* norm : {"layers/1/norm.pre_attn", "layers/2/norm.pre_mlp", "norm.final"}) {
    EXPECT_EQ(matrix(gemma, norm).gain_offset, 1) << norm;
    EXPECT_EQ(matrix(canonical(llama()), norm).gain_offset, 0) << norm;
  }
  EXPECT_EQ(matrix(gemma, "layers/1/attn.q").gain_offset, 0);
}

TEST(CanonicaliseFamilies, BiasesOfNemotronAreWhatTheyAre) {
  MadeCheckpoint made(R"({"model_type": "nemotron", "hidden_size": 128})");
  const MadeCheckpoint base = llama(1, "");
  for (const StoredTensor& tensor : base.take().tensors) {
    if (tensor.name.find("gate_proj") == std::string::npos) made.add(tensor.name, tensor.shape);
    if (tensor.shape.size() == 1)
      made.add(tensor.name.substr(0, tensor.name.size() - 6) + "bias", tensor.shape);
  }
  const Model model = canonical(made);
  EXPECT_EQ(model.family, "nemotron");
  EXPECT_EQ(matrix(model, "layers/0/norm.pre_mlp").gain_offset, 1);
  EXPECT_EQ(matrix(model, "layers/0/norm.pre_mlp.bias").gain_offset, 0);
}

TEST(CanonicaliseFamilies, AskingForWhatTheConfigurationDeniesIsNoted) {
  const Model model = canonical(llama(), "gemma");  // the names are the same
  EXPECT_EQ(model.family, "gemma");
  EXPECT_EQ(finding(model, "architecture_claim").expected, "llama");
  EXPECT_THAT(rules(canonical(llama(3, ""), "gemma")), IsEmpty());
}

TEST(CanonicaliseFamilies, SharesOfAHeadMayBeCounted) {
  MadeCheckpoint made(R"({"model_type": "gptj", "n_embd": 32, "n_head": 4, "rotary_dim": 2})");
  made.add("transformer.wte.weight", {20, 32});
  for (const char* name : {"attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.out_proj"})
    made.add(std::string("transformer.h.0.") + name + ".weight", {32, 32});
  made.add("transformer.h.0.mlp.fc_in.weight", {64, 32});
  const Model model = canonical(made);
  EXPECT_EQ(model.family, "gptj");
  EXPECT_EQ(model.rope, Rope::interleaved);
  EXPECT_EQ(model.rotary_share, 0.25);
}

}  // namespace
}  // namespace stemma
