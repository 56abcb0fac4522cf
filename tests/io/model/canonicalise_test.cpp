// Does every tensor get its role, and everything that is odd a finding?
#include "io/model/canonicalise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/patience.hpp"
#include "tests/io/model/made_checkpoint.hpp"

namespace stemma {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace test;

TEST(Canonicalise, LlamaIsExplainedWithoutAnyFinding) {
  const Model model = canonical(llama());
  EXPECT_EQ(model.family, "llama");
  EXPECT_THAT(rules(model), IsEmpty());
  EXPECT_EQ(model.layers(), 3);
  EXPECT_FALSE(model.tied_head);
  EXPECT_EQ(model.dims, (std::map<std::string, std::int64_t>{{"head_dim", 32},
                                                             {"heads", 4},
                                                             {"hidden", 128},
                                                             {"inter", 344},
                                                             {"kv_heads", 2},
                                                             {"layers", 3},
                                                             {"vocab", 256}}));
  EXPECT_EQ(model.matrices.size(), 3U + 3U * 9U);
  EXPECT_TRUE(std::is_sorted(model.matrices.begin(), model.matrices.end(),
                             [](const Matrix& a, const Matrix& b) { return a.role < b.role; }));
  const Matrix& k = matrix(model, "layers/2/attn.k");
  EXPECT_EQ(model.checkpoint.tensors[k.tensor].name, "model.layers.2.self_attn.k_proj.weight");
  EXPECT_EQ(std::pair(k.rows, k.cols), std::pair(std::uint64_t{64}, std::uint64_t{128}));
  EXPECT_TRUE(k.as_stored());
  EXPECT_FALSE(k.vector);
  const Matrix& gain = matrix(model, "layers/0/norm.pre_mlp");
  EXPECT_TRUE(gain.vector);
  EXPECT_EQ(gain.cols, 1U);
  EXPECT_EQ(gain.gain_offset, 0);
  EXPECT_EQ(model.parameters(), [&] {
    std::uint64_t all = 0;
    for (const StoredTensor& tensor : model.checkpoint.tensors) all += tensor.elements();
    return all;
  }());
}

TEST(Canonicalise, WrappersAndPrefixesChangeNothing) {
  const auto expected = paths(canonical(llama()));
  for (const char* prefix :
       {"module.", "_orig_mod.", "module._orig_mod.", "_fsdp_wrapped_module.", "base_model.model.",
        "_orig_mod.module.base_model.model._fsdp_wrapped_module."}) {
    const Model model = canonical(llama().rename(prefix));
    EXPECT_EQ(paths(model), expected) << prefix;
    EXPECT_THAT(rules(model), IsEmpty()) << prefix;
  }
  MadeCheckpoint inside(llama_config());
  for (const StoredTensor& tensor : llama().take().tensors) {
    std::string name = tensor.name;
    if (const auto at = name.find(".self_attn"); at != std::string::npos)
      name.insert(at, "._fsdp_wrapped_module");
    inside.add(name, tensor.shape);
  }
  EXPECT_EQ(paths(canonical(inside)), expected);
}

TEST(Canonicalise, TwoTensorsWithOneRoleGetNone) {
  const Model model = canonical(llama().add("module.model.norm.weight", {128}));
  EXPECT_EQ(finding(model, "prefix_collision").severity, Severity::error);
  EXPECT_EQ(model.find({.part = Part::norm_final}), nullptr);
  EXPECT_THAT(paths(model), Contains("unknown/module.model.norm.weight"));
  EXPECT_THAT(paths(model), Contains("unknown/model.norm.weight"));
}

TEST(Canonicalise, TiesFollowTheTensors) {
  EXPECT_TRUE(canonical(llama(3, "").drop("lm_head.weight")).tied_head);
  const Model denied = canonical(llama().drop("lm_head.weight"));  // config: tie_word_embeddings is false
  EXPECT_TRUE(denied.tied_head);
  EXPECT_THAT(rules(denied), ElementsAre("tie_violated"));
  EXPECT_FALSE(canonical(llama(3, R"({"tie_word_embeddings": true})")).tied_head);
}

TEST(Canonicalise, ConfigValuesAreClaims) {
  const Model model =
      canonical(llama(3, R"({"model_type": "llama", "hidden_size": -1, "num_attention_heads": 0,
    "num_key_value_heads": 1e300, "head_dim": "32", "rope": [0.0, Infinity], "x": NaN, "y": -Infinity,
    "text": "Infinity \" NaN", "intermediate_size": 345, "vocab_size": true})"));
  EXPECT_EQ(model.family, "llama");
  EXPECT_EQ(std::count_if(model.findings.begin(), model.findings.end(),
                          [](const Finding& f) { return f.rule == "config.value"; }),
            5);
  EXPECT_EQ(finding(model, "config_shape_mismatch").found, "344");
  EXPECT_EQ(model.dim("inter"), 344);
  EXPECT_EQ(model.dim("hidden"), 128);
  EXPECT_FALSE(model.dim("heads"));
  EXPECT_FALSE(model.dim("head_dim"));
  EXPECT_EQ(matrix(model, "layers/0/mlp.gate").rows, 344U);
  EXPECT_THAT(rules(canonical(llama(3, "{\"model_type\": "))), Contains("config.ignored"));
  EXPECT_THAT(rules(canonical(llama(3, "[1, 2]"))), Contains("config.ignored"));
  EXPECT_THAT(
      rules(canonical(llama(3, R"({"model_type": {"a": 1}, "architectures": 7, "text_config": []})"))),
      ElementsAre("architecture_by_names"));
}

TEST(Canonicalise, PaddedVocabulariesAreNoMismatch) {
  MadeCheckpoint padded = llama().drop("model.embed_tokens.weight").drop("lm_head.weight");
  padded.add("model.embed_tokens.weight", {320, 128}).add("lm_head.weight", {320, 128});
  const Model model = canonical(padded);
  EXPECT_THAT(rules(model), IsEmpty());
  EXPECT_EQ(model.dim("vocab"), 256);
  EXPECT_EQ(matrix(model, "embed").rows, 320U);
}

TEST(Canonicalise, ConfigOfAnotherModelIsNoticed) {
  std::string config = llama_config();
  config.replace(config.find("\"num_key_value_heads\": 2"), 24, "\"num_key_value_heads\": 4");
  const Model model = canonical(llama(3, config));
  EXPECT_EQ(finding(model, "config_shape_mismatch").tensor, "model.layers.0.self_attn.k_proj.weight");
  EXPECT_EQ(matrix(model, "layers/0/attn.k").rows, 64U);
  EXPECT_FALSE(model.dim("kv_heads"));
}

TEST(Canonicalise, LayersAreCounted) {
  const Model missing = canonical(llama(4).drop("model.layers.1.mlp.up_proj.weight"));
  EXPECT_EQ(finding(missing, "config_shape_mismatch").found, "4");
  EXPECT_EQ(finding(missing, "missing_tensor").expected, "[model.]layers.{layer}.mlp.up_proj.weight");
  MadeCheckpoint gap(llama_config());
  for (const StoredTensor& tensor : llama().take().tensors) {
    std::string name = tensor.name;
    if (const auto at = name.find("layers.1."); at != std::string::npos) name.replace(at, 9, "layers.7.");
    gap.add(name, tensor.shape);
  }
  const Model model = canonical(gap);
  EXPECT_THAT(rules(model), ElementsAre("layer_gap"));
  EXPECT_EQ(model.layers(), 8);
  EXPECT_EQ(model.dim("layers"), 3);
}

TEST(Canonicalise, UnknownTensorsAreKeptLastAndToldOnce) {
  MadeCheckpoint made = llama();
  for (int i = 0; i < 3; ++i) made.add("model.layers." + std::to_string(i) + ".extra.weight", {4, 5});
  made.add("aaa", {}, Dtype::f32).add("model.mask", {4, 4}, Dtype::boolean).add("steps", {1}, Dtype::i64);
  made.add("model.layers.0.self_attn.rotary_emb.inv_freq", {16}, Dtype::f32);
  const Model model = canonical(made);
  EXPECT_EQ(model.family, "llama");
  const auto all = paths(model);
  EXPECT_EQ(std::vector<std::string>(all.end() - 4, all.end()),
            (std::vector<std::string>{"unknown/aaa", "unknown/model.layers.0.extra.weight",
                                      "unknown/model.layers.1.extra.weight",
                                      "unknown/model.layers.2.extra.weight"}));
  EXPECT_EQ(all.size(), 3U + 27U + 4U);
  int unknown = 0;
  for (const Finding& found : model.findings) {
    unknown += found.rule == "unknown_tensor" ? 1 : 0;
    if (found.tensor == "model.layers.0.extra.weight") {
      EXPECT_EQ(found.found, "[4, 5], and 2 more like it");
      EXPECT_EQ(found.file, "model.safetensors");
    }
  }
  EXPECT_EQ(unknown, 2);
  EXPECT_TRUE(model.matrices.back().role.part == Part::unknown);
}

TEST(Canonicalise, CodesOfQuantisedWeightsGetNoRole) {
  const Model model = canonical(llama()
                                    .drop("model.layers.0.mlp.up_proj.weight")
                                    .add("model.layers.0.mlp.up_proj.weight", {344, 128}, Dtype::i8));
  EXPECT_EQ(finding(model, "dtype.not_a_weight").tensor, "model.layers.0.mlp.up_proj.weight");
  EXPECT_EQ(model.find({.layer = 0, .part = Part::mlp_up}), nullptr);
}

TEST(Canonicalise, WrongFamilyNeverPassesSilently) {
  for (const std::string& family : shipped().families()) {
    for (const auto& [truth, made] : {std::pair<std::string, MadeCheckpoint>{"llama", llama()},
                                      {"gpt2", gpt2()},
                                      {"mixtral", mixtral(false)}}) {
      if (truth == family) continue;
      const Model model = canonical(made, family);
      EXPECT_EQ(model.family, family);
      EXPECT_TRUE(std::any_of(model.findings.begin(), model.findings.end(),
                              [](const Finding& f) { return f.severity != Severity::note; }))
          << truth << " as " << family;
    }
  }
  EXPECT_THROW(shipped().canonicalise(llama().take(), "lama"), std::invalid_argument);
  // Linear layers under names of Conv1D layers.
  MadeCheckpoint turned = gpt2().drop("h.0.mlp.c_fc.weight").drop("h.1.mlp.c_fc.weight");
  turned.add("h.0.mlp.c_fc.weight", {48, 12}).add("h.1.mlp.c_fc.weight", {48, 12});
  turned.config(R"({"model_type": "gpt2", "n_inner": 48})");
  EXPECT_THAT(rules(canonical(turned)),
              testing::AnyOf(Contains("layout_contradicted"), Contains("config_shape_mismatch")));
}

TEST(Canonicalise, WhatNobodyExplainsIsKeptAsUnknown) {
  MadeCheckpoint made(R"({"model_type": "resnet"})");
  made.add("conv1.weight", {64, 3, 7, 7}).add("fc.bias", {10}).add("bn.num_batches_tracked", {}, Dtype::i64);
  const Model model = canonical(made);
  EXPECT_EQ(model.family, "");
  EXPECT_EQ(finding(model, "unknown_architecture").found, "resnet");
  ASSERT_EQ(model.matrices.size(), 2U);
  EXPECT_EQ(std::pair(model.matrices[0].rows, model.matrices[0].cols),
            std::pair(std::uint64_t{64}, std::uint64_t{147}));
  EXPECT_TRUE(model.matrices[0].as_stored());
  EXPECT_TRUE(model.matrices[1].vector);
  EXPECT_EQ(model.layers(), 0);
  const Model empty = canonical(MadeCheckpoint());
  EXPECT_EQ(empty.family, "");
  EXPECT_THAT(empty.matrices, IsEmpty());
}

TEST(Canonicalise, HostileNamesAndShapesAreHarmless) {
  MadeCheckpoint made = mixtral(true);
  made.add("model.layers.999999.self_attn.q_proj.weight", {8, 8})
      .add("model.layers.00.self_attn.q_proj.weight", {8, 8})
      .add("model.layers.-1.mlp.gate.weight", {3, 8})
      .add("model.layers.18446744073709551616.mlp.gate.weight", {3, 8})
      .add("model.layers.2.mlp.experts.down_proj", {1'000'000'000'000, 0, 5})
      .add("model.layers.3.mlp.experts.gate_up_proj", {0, 10, 8})
      .add("model.layers.4.mlp.experts.down_proj", {70'000, 8, 5})
      .add("module.", {1})
      .add("_fsdp_wrapped_module.", {1})
      .add("\x1b[31m\xff.weight", {2, 2})
      .add(std::string(4096, '7'), {1})
      .add("", {1});
  const Model model = canonical(made, "mixtral");
  EXPECT_EQ(model.layers(), 2);
  EXPECT_LT(model.matrices.size(), 100U);
  EXPECT_THAT(rules(model), testing::IsSupersetOf({"layer_number", "shape_mismatch", "unknown_tensor"}));
  MadeCheckpoint many(llama_config());
  for (int i = 0; i < 20'000; ++i)
    many.add("t" + std::string(static_cast<std::size_t>(i % 400), 'x') + std::to_string(i) + "a", {1});
  EXPECT_LE(canonical(many, "llama").findings.size(), 130U);
}

TEST(Canonicalise, ConfigMayBeNested) {
  const Model model =
      canonical(llama(3, std::string(R"({"model_type": "vlm", "text_config": )") + llama_config() + "}"));
  EXPECT_EQ(model.family, "llama");
  EXPECT_THAT(rules(model), IsEmpty());
  EXPECT_EQ(model.dim("heads"), 4);
}

TEST(Canonicalise, AThousandModelsTakeLittleTime) {
  const Checkpoint checkpoint = llama(33).take();  // 300 tensors
  ASSERT_EQ(checkpoint.tensors.size(), 300U);
  const double begin = test::processor_seconds();
  std::size_t matrices = 0;
  for (int i = 0; i < 1000; ++i) matrices += shipped().canonicalise(checkpoint).matrices.size();
  const double seconds = test::processor_seconds() - begin;
  EXPECT_EQ(matrices, 300'000U);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 2.0 * test::patience());
}

}  // namespace
}  // namespace stemma
