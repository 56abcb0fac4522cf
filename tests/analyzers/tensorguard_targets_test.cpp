// Does tensorguard choose the tensors that its paper's code chooses?
#include "analyzers/tensorguard_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stemma {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

void add(Checkpoint& checkpoint, const std::string& name, std::vector<std::uint64_t> shape,
         Dtype dtype = Dtype::bf16) {
  checkpoint.tensors.push_back({.name = name, .dtype = dtype, .shape = std::move(shape)});
}

Checkpoint llama(int layers) {
  Checkpoint c;
  add(c, "model.norm.weight", {64});
  add(c, "model.embed_tokens.weight", {100, 64});
  for (int i = layers; i-- > 0;)
    for (const char* part : {"self_attn.q_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj"})
      add(c, "model.layers." + std::to_string(i) + "." + part + ".weight",
          std::string(part) == "mlp.down_proj" ? std::vector<std::uint64_t>{64, 160}
                                               : std::vector<std::uint64_t>{64, 64});
  add(c, "lm_head.weight", {100, 64});
  return c;
}

std::vector<std::string> names(const Checkpoint& checkpoint, const std::vector<GuardTarget>& targets) {
  std::vector<std::string> out;
  for (const GuardTarget& t : targets) out.push_back(checkpoint.tensors[t.tensor].name);
  return out;
}

TEST(GuardTargets, ThreeOfEachClassEvenlySpread) {
  const Checkpoint c = llama(4);
  const auto targets = guard_targets(c, 10, 15, 0);
  EXPECT_EQ(targets.size(), 10U);
  const auto chosen = names(c, targets);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  // 8 of attention: 0, 3 and 7 by name; 8 of mlp likewise; the only embedding; lm_head is of no class.
  for (const char* name : {"model.embed_tokens.weight", "lm_head.weight",
                           "model.layers.0.self_attn.o_proj.weight", "model.layers.1.self_attn.q_proj.weight",
                           "model.layers.3.self_attn.q_proj.weight", "model.layers.0.mlp.down_proj.weight",
                           "model.layers.1.mlp.up_proj.weight", "model.layers.3.mlp.up_proj.weight"})
    EXPECT_THAT(chosen, Contains(name));
  EXPECT_EQ(names(c, guard_targets(c, 10, 15, 0)), chosen);
  const auto kinds = [&](GuardClass kind) {
    return std::count_if(targets.begin(), targets.end(),
                         [&](const GuardTarget& t) { return t.kind == kind; });
  };
  EXPECT_EQ(kinds(GuardClass::embedding), 1);
  EXPECT_EQ(kinds(GuardClass::other), 1);
  EXPECT_EQ(kinds(GuardClass::attention) + kinds(GuardClass::ffn), 8);
}

TEST(GuardTargets, TheOrderInTheFileDoesNotMatter) {
  Checkpoint c = llama(4), turned = c;
  std::reverse(turned.tensors.begin(), turned.tensors.end());
  EXPECT_EQ(names(c, guard_targets(c, 10, 15, 3)), names(turned, guard_targets(turned, 10, 15, 3)));
  std::set<std::vector<std::string>> by_seed;
  for (std::uint64_t seed = 0; seed < 20; ++seed) by_seed.insert(names(c, guard_targets(c, 10, 15, seed)));
  EXPECT_GT(by_seed.size(), 3U);
}

TEST(GuardTargets, DeepLayersAndWhatIsNoMatrixAreLeftOut) {
  const Checkpoint c = llama(40);
  for (const std::string& name : names(c, guard_targets(c, 100, 15, 0)))
    EXPECT_THAT(name, Not(testing::ContainsRegex("layers.(1[6-9]|[2-9][0-9])")));
  Checkpoint odd;
  add(odd, "layers.16.mlp", {4, 4});
  add(odd, "layers.99999999999999999999.mlp", {4, 4});
  add(odd, "layers.x.mlp", {4, 4});
  add(odd, "blocks.99.mlp", {4, 4});
  add(odd, "packed", {4, 4}, Dtype::f4);
  add(odd, "empty", {0, 4});
  add(odd, "cube", {2, 2, 2});
  EXPECT_THAT(names(odd, guard_targets(odd, 10, 15, 0)), ElementsAre("blocks.99.mlp", "layers.x.mlp"));
}

TEST(GuardTargets, ClassesByName) {
  EXPECT_EQ(guard_class_of("vision.embeddings.attention"), GuardClass::embedding);
  EXPECT_EQ(guard_class_of("h.0.attn.c_proj.weight"), GuardClass::attention);
  EXPECT_EQ(guard_class_of("h.0.mlp.c_fc.weight"), GuardClass::ffn);
  EXPECT_EQ(guard_class_of("lm_head.weight"), GuardClass::other);
}

TEST(GuardTargets, ProbesAreTheFirstByNameOfTheirSize) {
  const Checkpoint c = llama(2);
  EXPECT_EQ(c.tensors[guard_probe(c, 64, 15)].name, "lm_head.weight");
  EXPECT_EQ(c.tensors[guard_probe(c, 160, 15)].name, "model.layers.0.mlp.down_proj.weight");
  EXPECT_THROW(guard_probe(c, 63, 15), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
