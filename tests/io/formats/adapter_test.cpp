// Which adapters are read, with which ranks and scales, and which are refused by which rule?
#include "io/formats/adapter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "io/formats/file_reader.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using fixtures::TemporaryDirectory;

AdapterConfig config(const std::string& more) {
  return parse_adapter_config(R"({"peft_type": "LORA")" + more + "}", "adapter_config.json");
}
std::string refusal(const std::string& text) {
  return rule_of_refusal([&] { parse_adapter_config(text, "adapter_config.json"); });
}
std::string refusal_of(const std::string& more) { return refusal(R"({"peft_type": "LORA")" + more + "}"); }

bool matches(std::string_view pattern, std::string_view module) {
  const auto parsed = ModulePattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern;
  return parsed && parsed->matches(module);
}

TEST(ModulePattern, MatchesFromTheBeginningOrBehindADot) {
  EXPECT_TRUE(matches("q_proj", "model.layers.0.self_attn.q_proj"));
  EXPECT_TRUE(matches("q_proj", "q_proj"));
  EXPECT_FALSE(matches("proj", "layers.0.q_proj"));
  EXPECT_FALSE(matches("q_proj", "layers.0.q_proj.x"));
  EXPECT_TRUE(matches("layers.1.self_attn.q_proj", "model.layers.1.self_attn.q_proj"));
  EXPECT_FALSE(matches("layers.1.self_attn.q_proj", "model.layers.11.self_attn.q_proj"));
  EXPECT_TRUE(matches("^model.layers.0.q", "model.layers.0.q"));
  EXPECT_FALSE(matches("^layers.0.q", "model.layers.0.q"));
  EXPECT_TRUE(matches("q$", "a.q"));
}

TEST(ModulePattern, KnowsTheSyntaxOfConfigurations) {
  EXPECT_TRUE(matches(R"(layers\.(1|2|30)\.q_proj)", "model.layers.30.q_proj"));
  EXPECT_FALSE(matches(R"(layers\.(1|2|30)\.q_proj)", "model.layers.3.q_proj"));
  EXPECT_TRUE(matches(R"(layers\.\d+\..*[qkv]_proj)", "model.layers.17.self_attn.v_proj"));
  EXPECT_FALSE(matches(R"(layers\.\d+\..*[qkv]_proj)", "model.layers.17.self_attn.o_proj"));
  EXPECT_TRUE(matches("[^a-c]x?y", "dy"));
  EXPECT_FALSE(matches("[^a-c]x?y", "by"));
  EXPECT_TRUE(matches("(?:a|)b", "b"));
  EXPECT_TRUE(matches("", "a."));
  EXPECT_FALSE(matches(R"(a\.b)", "a-b"));
}

TEST(ModulePattern, HostileOnesAreLinear) {
  EXPECT_FALSE(matches("(a+)+$", std::string(4000, 'a') + "b"));
  EXPECT_FALSE(matches("(a*)*(a|aa)*b", std::string(4000, 'a')));
  EXPECT_TRUE(matches("((a*)*)*", std::string(4000, 'a')));
  EXPECT_FALSE(ModulePattern::parse(std::string(600, 'a')));
  EXPECT_FALSE(ModulePattern::parse(std::string(200, '(') + std::string(200, ')')));
}

TEST(ModulePattern, OtherSyntaxIsNotGuessed) {
  for (const char* text :
       {"a{2}", "(?=a)", "(?P<n>a)", "(a", "a)", "[a", "a**", "*", "\\b", "\\", "[z-a]", "a|*"})
    EXPECT_FALSE(ModulePattern::parse(text)) << text;
}

TEST(AdapterConfig, RanksAndScales) {
  EXPECT_EQ(config("").rank, 8U);
  EXPECT_EQ(config("").alpha, 8.0);
  EXPECT_EQ(config(R"(, "r": 4, "lora_alpha": 6.5)").scale_of("q"), 6.5 / 4);
  EXPECT_EQ(config(R"(, "r": 16, "lora_alpha": 32, "use_rslora": true)").scale_of("q"), 8.0);
  EXPECT_EQ(config(R"(, "r": null, "lora_alpha": -2)").scale_of("q"), -0.25);
  const AdapterConfig patterns =
      config(R"(, "r": 4, "lora_alpha": 8, "rank_pattern": {"layers.1.q": 2, "q": 16, "1.q": 5},
              "alpha_pattern": {"k": 12}, "base_model_name_or_path": "a/b")");
  EXPECT_EQ(patterns.rank_of("model.layers.1.q"), 2U) << "the first one counts";
  EXPECT_EQ(patterns.rank_of("model.layers.2.q"), 16U);
  EXPECT_EQ(patterns.rank_of("model.layers.2.k"), 4U);
  EXPECT_EQ(patterns.scale_of("model.layers.2.k"), 3.0);
  EXPECT_EQ(patterns.scale_of("model.layers.1.q"), 4.0);
  EXPECT_EQ(patterns.base, "a/b");
}

TEST(AdapterConfig, Refusals) {
  EXPECT_EQ(refusal("[]"), "json.syntax");
  EXPECT_EQ(refusal("{"), "json.syntax");
  EXPECT_EQ(refusal(R"({"peft_type": "LORA", "r": 1, "r": 2})"), "json.duplicate_key");
  EXPECT_EQ(refusal("{}"), "adapter.unsupported_type");
  EXPECT_EQ(refusal(R"({"peft_type": "IA3"})"), "adapter.unsupported_type");
  EXPECT_EQ(refusal(R"({"peft_type": ["LORA"]})"), "adapter.unsupported_type");
  EXPECT_EQ(refusal_of(R"(, "use_dora": true)"), "") << "whoever opens the adapter decides";
  EXPECT_EQ(refusal_of(R"(, "use_dora": false)"), "");
  EXPECT_EQ(refusal_of(R"(, "use_dora": "yes")"), "adapter.config_value");
  EXPECT_EQ(refusal_of(R"(, "layer_replication": [[0, 4], [2, 5]])"), "adapter.unsupported_key");
  EXPECT_EQ(refusal_of(R"(, "target_parameters": ["experts.w"])"), "adapter.unsupported_key");
  EXPECT_EQ(refusal_of(R"(, "target_parameters": [], "layer_replication": null)"), "");
  for (const char* r : {"0", "-1", "1.5", "\"8\"", "true", "[8]", "{}", "1e3", "99999999999999999999"})
    EXPECT_EQ(refusal_of(fmt::format(R"(, "r": {})", r)), "adapter.config_value") << r;
  for (const char* alpha : {"\"16\"", "false", "[16]"})
    EXPECT_EQ(refusal_of(fmt::format(R"(, "lora_alpha": {})", alpha)), "adapter.config_value") << alpha;
  EXPECT_EQ(refusal_of(R"(, "rank_pattern": {"q": 0})"), "adapter.config_value");
  EXPECT_EQ(refusal_of(R"(, "rank_pattern": {"q": {"r": 8}})"), "adapter.config_value");
  EXPECT_EQ(refusal_of(R"x(, "alpha_pattern": {"(?=q)": 8})x"), "adapter.pattern_unsupported");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += fmt::format("{}\"q{}\": 8", i == 0 ? "" : ",", i);
  EXPECT_EQ(refusal_of(fmt::format(R"(, "rank_pattern": {{{}}})", many)), "limit.adapter_patterns");
}

TEST(AdapterConfig, SentencesNameFileKeyRuleAndRemedy) {
  try {
    config(R"(, "layer_replication": [[0, 4]])");
    FAIL();
  } catch (const InvalidInput& refused) {
    const std::string text = refused.what();
    for (const char* part :
         {"adapter_config.json", "layer_replication = ", "adapter.unsupported_key", "merge the adapter"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  try {
    parse_adapter_config("{\"peft_type\": \"\\u001b[31m\"}", "adapter_config.json");
    FAIL();
  } catch (const InvalidInput& refused) {
    EXPECT_EQ(std::string(refused.what()).find('\x1b'), std::string::npos) << "a stranger's text is escaped";
  }
}

/// Name and shape of a tensor of the adapter under test; zeros of F32 unless said otherwise.
struct Made {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::string dtype = "F32";
};

std::string file_of(const std::vector<Made>& tensors, float value = 0) {
  std::string header = "{", data;
  for (const Made& made : tensors) {
    std::uint64_t elements = 1;
    for (const std::uint64_t d : made.shape) elements *= d;
    const std::size_t begin = data.size(), size = elements * (made.dtype == "F32"  ? 4
                                                              : made.dtype == "I8" ? 1
                                                                                   : 2);
    for (std::size_t i = 0; i < size; ++i) data += reinterpret_cast<const char*>(&value)[i % 4];
    header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                          header == "{" ? "" : ",", made.name, made.dtype, fmt::join(made.shape, ","), begin,
                          data.size());
  }
  return fixtures::safetensors(header + "}", data);
}

class Opening : public ::testing::Test {
 protected:
  std::string refusal(const std::vector<Made>& tensors) {
    write(tensors);
    return rule_of_refusal([&] { open(); });
  }
  Adapter open() {
    FileReader reader;
    return open_adapter(directory_.path(), reader);
  }
  void write(const std::vector<Made>& tensors, const std::string& more = "", float value = 0) {
    directory_.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4)" + more + "}");
    directory_.write("adapter_model.safetensors", file_of(tensors, value));
  }
  TemporaryDirectory directory_;
};

const std::string q = "base_model.model.model.layers.0.self_attn.q_proj.", k = "base_model.model.h.3.k.";

TEST_F(Opening, PairsByModule) {
  write({{q + "lora_B.weight", {6, 2}},
         {k + "lora_A.weight", {3, 5}, "BF16"},
         {q + "lora_A.weight", {2, 4}},
         {k + "lora_B.weight", {7, 3}, "BF16"},
         {k + "lora_B.bias", {7}},
         {"base_model.model.lm_head.weight", {9, 4}}},
        R"(, "rank_pattern": {"h.3.k": 3})");
  const Adapter adapter = open();
  ASSERT_EQ(adapter.pairs.size(), 2U);
  EXPECT_EQ(adapter.pairs[0].module, "h.3.k");
  EXPECT_EQ(adapter.pairs[0].rank, 3U);
  EXPECT_EQ(adapter.pairs[0].scale, 4.0 / 3);
  EXPECT_EQ(adapter.pairs[1].module, "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(adapter.pairs[1].stored_rank(), 2U);
  EXPECT_EQ(adapter.pairs[1].scale, 2.0);
  ASSERT_EQ(adapter.others.size(), 2U);
  EXPECT_EQ(adapter.others[0].name, k + "lora_B.bias");
  EXPECT_EQ(adapter.others[1].name, "base_model.model.lm_head.weight");
  FileReader reader;
  EXPECT_EQ(read_factor(adapter, adapter.pairs[1].b, reader), std::vector<double>(12, 0.0));
}

TEST_F(Opening, NamesOfAdaptersAndEmbeddings) {
  write({{q + "lora_A.main.weight", {2, 4}}, {q + "lora_B.main.weight", {6, 2}}});
  EXPECT_EQ(open().pairs.at(0).module, "model.layers.0.self_attn.q_proj");
  write({{"base_model.model.model.embed.lora_embedding_A", {2, 9}},
         {"base_model.model.model.embed.lora_embedding_B", {4, 2}}});
  EXPECT_TRUE(open().pairs.at(0).embedding);
}

TEST_F(Opening, Refusals) {
  const Made a{q + "lora_A.weight", {2, 4}}, b{q + "lora_B.weight", {6, 2}};
  EXPECT_EQ(refusal({a, b}), "");
  EXPECT_EQ(refusal({a}), "adapter.unpaired");
  EXPECT_EQ(refusal({b}), "adapter.unpaired");
  EXPECT_EQ(refusal({a, {q + "lora_B.weight", {6, 3}}}), "adapter.rank_differs");
  EXPECT_EQ(refusal({a, {q + "lora_B.weight", {6, 2, 1}}}), "adapter.shape_mismatch");
  EXPECT_EQ(refusal({{q + "lora_A.weight", {0, 4}}, {q + "lora_B.weight", {6, 0}}}),
            "adapter.shape_mismatch");
  EXPECT_EQ(refusal({a, {q + "lora_B.weight", {6, 2}, "I8"}}), "adapter.dtype");
  EXPECT_EQ(refusal({a, b, {q + "lora_magnitude_vector", {6}}}), "adapter.dora");
  EXPECT_EQ(refusal({a, {q + "lora_B.other.weight", {6, 2}}}), "adapter.several_adapters");
  EXPECT_EQ(refusal({a, b, {q + "lora_A.main.weight", {2, 4}}}), "adapter.unpaired");
  EXPECT_EQ(refusal({{"lora_unet.lora_down.weight", {2, 4}}}), "adapter.no_tensors");
  EXPECT_EQ(refusal({{"base_model.model.lora_A.weight", {2, 4}}}), "adapter.no_tensors")
      << "a factor of nothing";
}

TEST_F(Opening, MissingFiles) {
  EXPECT_FALSE(is_adapter(directory_.path()));
  EXPECT_FALSE(is_adapter(directory_.path("absent")));
  directory_.write("adapter_model.safetensors", file_of({{q + "lora_A.weight", {2, 4}}}));
  EXPECT_TRUE(is_adapter(directory_.path()));
  EXPECT_EQ(rule_of_refusal([&] { open(); }), "adapter.config_missing");
  std::filesystem::remove(directory_.path("adapter_model.safetensors"));
  directory_.write("adapter_config.json", R"({"peft_type": "LORA"})");
  EXPECT_TRUE(is_adapter(directory_.path()));
  EXPECT_EQ(rule_of_refusal([&] { open(); }), "adapter.weights_missing");
  directory_.write("model.safetensors", file_of({{"x", {2, 4}}}));
  EXPECT_FALSE(is_adapter(directory_.path())) << "a whole model comes first";
}

TEST_F(Opening, NoFactorMayBeNan) {
  write({{q + "lora_A.weight", {2, 4}}, {q + "lora_B.weight", {6, 2}}}, "",
        std::numeric_limits<float>::quiet_NaN());
  const Adapter adapter = open();
  FileReader reader;
  EXPECT_EQ(rule_of_refusal([&] { read_factor(adapter, adapter.pairs[0].a, reader); }), "adapter.nonfinite");
}

}  // namespace
}  // namespace stemma
