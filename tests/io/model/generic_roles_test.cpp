// Are guesses made where names and shapes agree, and nowhere else?
#include "io/model/generic_roles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/model/made_checkpoint.hpp"

namespace stemma {
namespace {

using testing::Contains;
using testing::Not;
using namespace test;

/// Names that no table knows, hidden 8, inter 12.
MadeCheckpoint foreign() {
  MadeCheckpoint made(R"({"model_type": "novel"})");
  made.add("net.wte.table.weight", {30, 8}).add("net.type_embed.weight", {2, 8});
  for (const std::string i : {"0", "1"}) {
    const std::string layer = "net.resblocks." + i + ".";
    made.add(layer + "attention.query.weight", {8, 8})
        .add(layer + "attention.query.bias", {8})
        .add(layer + "attention.key_proj.weight", {4, 8})
        .add(layer + "attention.v_lin.weight", {4, 8})
        .add(layer + "attention.dense.weight", {8, 8})
        .add(layer + "mlp.fc1.weight", {12, 8})
        .add(layer + "mlp.fc2.weight", {8, 12});
  }
  return made;
}

TEST(GenericRoles, WordsAreUnderstood) {
  const Model model = canonical(foreign());
  EXPECT_EQ(model.family, "");
  EXPECT_TRUE(model.heuristic);
  EXPECT_THAT(rules(model), testing::IsSupersetOf({"unknown_architecture", "heuristic_roles"}));
  EXPECT_EQ(finding(model, "heuristic_roles").found, "15 of 16 tensors have names that most authors use");
  for (const char* path : {"embed", "layers/1/attn.q", "layers/1/attn.q.bias", "layers/1/attn.k",
                           "layers/1/attn.v", "layers/1/attn.o", "layers/0/mlp.up", "layers/0/mlp.down"}) {
    EXPECT_THAT(paths(model), Contains(path));
  }
  EXPECT_THAT(paths(model), Contains("unknown/net.type_embed.weight"));
  EXPECT_EQ(model.layers(), 2);
}

TEST(GenericRoles, ShapesThatContradictTakeTheRoleAway) {
  const auto turned = [](const std::string& name, std::vector<std::uint64_t> shape) {
    return paths(canonical(
        foreign().drop("net.resblocks.0." + name).add("net.resblocks.0." + name, std::move(shape))));
  };
  EXPECT_THAT(turned("attention.key_proj.weight", {8, 4}), Not(Contains("layers/0/attn.k")));
  EXPECT_THAT(turned("attention.dense.weight", {4, 8}), Not(Contains("layers/0/attn.o")));
  EXPECT_THAT(turned("mlp.fc1.weight", {8, 12}), Not(Contains("layers/0/mlp.up")));
  EXPECT_THAT(turned("mlp.fc2.weight", {8, 13}), Not(Contains("layers/0/mlp.down")));
  EXPECT_THAT(turned("attention.query.bias", {7}), Not(Contains("layers/0/attn.q.bias")));
  EXPECT_THAT(turned("mlp.fc2.weight", {8, 12}), Contains("layers/0/mlp.down"));
}

TEST(GenericRoles, TwoTensorsForOneRoleHaveNone) {
  const Model model = canonical(foreign().add("net.resblocks.0.attention.q.weight", {8, 8}));
  EXPECT_THAT(paths(model), Not(Contains("layers/0/attn.q")));
  EXPECT_THAT(paths(model), Contains("layers/1/attn.q"));
}

TEST(GenericRoles, FusedTensorsAreKeptWhole) {
  const Model model = canonical(foreign().add("net.resblocks.0.attention.qkv_proj.weight", {16, 8}));
  EXPECT_THAT(paths(model), Contains("other/net.resblocks.0.attention.qkv_proj.weight"));
}

TEST(GenericRoles, ExpertsAndTheirRouter) {
  MadeCheckpoint made = foreign();
  for (const std::string e : {"0", "1", "2"}) {
    const std::string expert = "net.resblocks.1.experts." + e + ".";
    made.add(expert + "w1.weight", {5, 8})
        .add(expert + "w3.weight", {5, 8})
        .add(expert + "w2.weight", {8, 5});
  }
  made.add("net.resblocks.1.router.layer.weight", {3, 8}).add("net.resblocks.0.router.weight", {4, 8});
  const auto found = paths(canonical(made));
  EXPECT_THAT(found, Contains("layers/1/moe.expert.down/2"));
  EXPECT_THAT(found, Contains("layers/1/moe.router"));
  EXPECT_THAT(found, Not(Contains("layers/0/moe.router")));  // four rows for three experts
}

TEST(GenericRoles, NothingIsGuessedBesideATable) {
  const Model model = canonical(llama());
  EXPECT_FALSE(model.heuristic);
  EXPECT_THAT(rules(model), testing::IsEmpty());
  EXPECT_FALSE(canonical(MadeCheckpoint().add("conv1.weight", {64, 3})).heuristic);
}

}  // namespace
}  // namespace stemma
