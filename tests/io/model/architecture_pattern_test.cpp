// Do patterns match exactly the names that they mean, at little cost?
#include "io/model/architecture_pattern.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace stemma {
namespace {

std::optional<Binding> match(const std::string& pattern, const std::string& name) {
  for (const Spelling& spelling : Pattern::parse(pattern, Pattern::Stars::allowed).spellings()) {
    if (const auto found = spelling.match(name)) return found;
  }
  return std::nullopt;
}

TEST(Pattern, BindsLayerAndExpert) {
  const auto found = match("[model.]layers.{layer}.experts.{expert}.w1", "model.layers.17.experts.5.w1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->layer, 17);
  EXPECT_EQ(found->expert, 5);
  EXPECT_TRUE(match("[model.]layers.{layer}.experts.{expert}.w1", "layers.0.experts.999999.w1"));
  EXPECT_EQ(match("[model.]norm.weight", "norm.weight")->layer, -1);
}

TEST(Pattern, IsAnchoredAndStrictAboutNumbers) {
  const std::string pattern = "h.{layer}.attn.bias";
  for (const char* name :
       {"h.1.attn.bias.x", "x.h.1.attn.bias", "h.01.attn.bias", "h..attn.bias", "h.-1.attn.bias",
        "h.1234567.attn.bias", "h.1.attn_bias", "h.1", "", "h.1 .attn.bias", "H.1.attn.bias"}) {
    EXPECT_FALSE(match(pattern, name)) << name;
  }
  EXPECT_FALSE(match(pattern, "h.1.c_attn.bias"));
  EXPECT_FALSE(match(pattern, std::string("h.1.attn.bias\0", 14)));
}

TEST(Pattern, StarsMatchWithinAndAcrossDots) {
  EXPECT_TRUE(match("*.rotary_emb.inv_freq", "model.layers.3.self_attn.rotary_emb.inv_freq"));
  EXPECT_FALSE(match("*.rotary_emb.inv_freq", "rotary_emb.inv_freq"));
  EXPECT_TRUE(match("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(match("a*", "a"));
  EXPECT_TRUE(match("*b{layer}.c", "b1.b22.c"));
  EXPECT_FALSE(match("a*b*c", "aXbYbZ"));
}

TEST(Pattern, HostileNamesCostLittle) {
  const std::string name(4096, 'a');
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*b";
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(match(pattern, name));
  EXPECT_FALSE(match("layers.{layer}.x", "layers." + std::string(4000, '9') + ".x"));
}

TEST(Pattern, SpellingsHaveOneKeyForAllLayers) {
  const Pattern pattern = Pattern::parse("[model.]layers.{layer}.ln_1[.gain]");
  const auto spellings = pattern.spellings("text.");
  ASSERT_EQ(spellings.size(), 4U);
  std::vector<std::string> keys;
  for (const Spelling& spelling : spellings) {
    EXPECT_EQ(spelling.key(), fold_numbers(spelling.instance(123, 4)));
    keys.push_back(spelling.key());
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(keys, (std::vector<std::string>{"text.layers.#.ln_#", "text.layers.#.ln_#.gain",
                                            "text.model.layers.#.ln_#", "text.model.layers.#.ln_#.gain"}));
  EXPECT_EQ(fold_numbers("1a22.b333"), "#a#.b#");
}

TEST(Pattern, RefusesWhatItCannotMean) {
  for (const char* text :
       {"", "a[b", "a]b", "a[]b", "a[{layer}]", "a{head}", "a{layer", "a}b", "{layer}.{layer}",
        "{layer}{expert}", "h1{layer}", "{layer}2", "a b", "a*b", "[1]{layer}", "[a][b][c][d][e]f"}) {
    EXPECT_THROW(Pattern::parse(text), std::invalid_argument) << text;
  }
  EXPECT_THROW(Pattern::parse(std::string(257, 'a')), std::invalid_argument);
  EXPECT_NO_THROW(Pattern::parse("a*b", Pattern::Stars::allowed));
}

}  // namespace
}  // namespace stemma
