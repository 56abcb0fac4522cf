// Is every role found again at its path, and nothing else?
#include "io/model/role.hpp"

#include <gtest/gtest.h>

#include <set>

namespace stemma {
namespace {

TEST(Role, EveryPathLeadsBackToItsRole) {
  std::set<std::string> seen;
  for (std::uint8_t part = 0; part < part_count; ++part) {
    for (std::uint8_t stack = 0; stack < 5; ++stack) {
      for (const int layer : {-1, 0, 17, 999'999}) {
        for (const int expert : {-1, 0, 127}) {
          for (const Kind kind : {Kind::weight, Kind::bias}) {
            const Role role{static_cast<Stack>(stack), layer, static_cast<Part>(part), expert, kind};
            const std::string path = path_of(role);
            EXPECT_TRUE(seen.insert(path).second) << path;
            EXPECT_EQ(role_at(path), role) << path;
          }
        }
      }
    }
  }
}

TEST(Role, PathsAreThoseOfTheArchives) {
  EXPECT_EQ(path_of({.layer = 17, .part = Part::attn_q}), "layers/17/attn.q");
  EXPECT_EQ(path_of({.layer = 3, .part = Part::moe_expert_up, .expert = 5}), "layers/3/moe.expert.up/5");
  EXPECT_EQ(path_of({.part = Part::embed}), "embed");
  EXPECT_EQ(path_of({.stack = Stack::encoder, .layer = 0, .part = Part::attn_q}), "encoder/layers/0/attn.q");
  EXPECT_EQ(path_of({.layer = 0, .part = Part::attn_q, .kind = Kind::bias}), "layers/0/attn.q.bias");
  EXPECT_EQ(name_of(Part::ssm_a_log), "ssm.A_log");
  EXPECT_EQ(name_of(Part::unknown), "unknown");
  EXPECT_EQ(name_of(Part::moe_shared_gate_proj), "moe.shared.gate");
  EXPECT_EQ(name_of(Part::moe_shared_gate), "moe.shared_gate");
}

TEST(Role, OtherTextsAreNoPaths) {
  for (const char* path : {"",
                           "/",
                           "layers",
                           "layers/",
                           "layers/3",
                           "layers/3/",
                           "layers/03/attn.q",
                           "layers/-1/attn.q",
                           "layers/x/attn.q",
                           "layers/99999999999/attn.q",
                           "attn.q/",
                           "attn.q/1/2",
                           "attn.q/01",
                           "attn.Q",
                           "decoder/embed",
                           "encoder/",
                           "embed.bias.bias",
                           " embed",
                           "layers/1/layers/2/attn.q",
                           ".bias"}) {
    EXPECT_FALSE(role_at(path)) << path;
  }
}

TEST(Role, OrderIsStackLayerPartExpertKind) {
  const Role base{.layer = 1, .part = Part::attn_k, .expert = 2};
  EXPECT_LT(base, (Role{.stack = Stack::encoder, .layer = 0, .part = Part::embed}));
  EXPECT_LT((Role{.layer = 0, .part = Part::lm_head}), base);
  EXPECT_LT((Role{.layer = 1, .part = Part::attn_q, .expert = 9}), base);
  EXPECT_LT((Role{.layer = 1, .part = Part::attn_k, .expert = 1, .kind = Kind::bias}), base);
  EXPECT_LT(base, (Role{.layer = 1, .part = Part::attn_k, .expert = 2, .kind = Kind::bias}));
}

}  // namespace
}  // namespace stemma
