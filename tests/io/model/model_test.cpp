// Does a model answer by role, and count every tensor once?
#include "io/model/model.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

Model made() {
  Model model;
  model.checkpoint.tensors = {{.name = "a", .shape = {10, 4}},
                              {.name = "fused", .shape = {6, 4}},
                              {.name = "odd", .shape = {3}},
                              {.name = "spare", .shape = {2, 2}}};
  model.matrices = {{.role = {.part = Part::embed}, .tensor = 0},
                    {.role = {.layer = 0, .part = Part::attn_q}, .tensor = 1},
                    {.role = {.layer = 0, .part = Part::attn_k}, .tensor = 1},
                    {.role = {.layer = 4, .part = Part::other}, .tensor = 3},
                    {.role = {.stack = Stack::vision, .layer = 9, .part = Part::attn_q}, .tensor = 1},
                    {.role = {}, .tensor = 2}};
  model.dims = {{"hidden", 4}};
  return model;
}

TEST(Model, FindsByRoleAndByNothingElse) {
  const Model model = made();
  EXPECT_EQ(model.find({.layer = 0, .part = Part::attn_k}), &model.matrices[2]);
  EXPECT_EQ(model.find({.stack = Stack::vision, .layer = 9, .part = Part::attn_q}), &model.matrices[4]);
  EXPECT_EQ(model.find({.layer = 0, .part = Part::attn_k, .kind = Kind::bias}), nullptr);
  EXPECT_EQ(model.find({.layer = 1, .part = Part::attn_k}), nullptr);
  EXPECT_EQ(Model{}.find({.part = Part::embed}), nullptr);
}

TEST(Model, CountsDecoderLayersAndEachTensorOnce) {
  const Model model = made();
  EXPECT_EQ(model.layers(), 5);
  EXPECT_EQ(Model{}.layers(), 0);
  EXPECT_EQ(model.parameters(), 40U + 24U + 4U);  // "odd" has no role
  EXPECT_EQ(model.dim("hidden"), 4);
  EXPECT_FALSE(model.dim("heads"));
}

TEST(Model, PathsOfNamelessRolesHoldTheTensorName) {
  const Model model = made();
  EXPECT_EQ(path_of(model.matrices[1], model.checkpoint), "layers/0/attn.q");
  EXPECT_EQ(path_of(model.matrices[3], model.checkpoint), "other/spare");
  EXPECT_EQ(path_of(model.matrices[5], model.checkpoint), "unknown/odd");
}

}  // namespace
}  // namespace stemma
