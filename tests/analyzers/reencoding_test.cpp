// Features are written by hand here: what do they add up to?
#include "analyzers/reencoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace stemma {
namespace {

/// Outcomes as features hold them; archives of runs and their resumption know the numbers.
enum : std::uint64_t {
  differs,
  same,
  candidate_is_rounded,
  base_is_rounded,
  either_way,
  is_near,
  tells,
  lies_on_codes
};

constexpr std::array parts_of_copy = {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o};

Model plain_model(Dtype dtype) {
  Model model;
  for (const Part part : parts_of_copy) {
    Matrix matrix;
    matrix.role = {.layer = 0, .part = part};
    matrix.tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size());
    matrix.rows = matrix.stored_rows = matrix.cols = 4;
    model.checkpoint.tensors.push_back({.name = path_of(matrix.role), .dtype = dtype, .shape = {4, 4}});
    model.matrices.push_back(matrix);
  }
  return model;
}

/// Two models of four weights, some of them quantised: by side, the scheme of each weight.
struct TwoModels {
  Model base, candidate;
  ModelPair pair;

  TwoModels(Dtype of_base, Dtype of_candidate, const std::vector<std::string>& base_schemes,
            const std::vector<std::string>& candidate_schemes)
      : base(plain_model(of_base)), candidate(plain_model(of_candidate)) {
    pair.base = &base;
    pair.candidate = &candidate;
    pair.first_of_candidate = 4;
    std::uint32_t further = 8;
    for (std::uint32_t i = 0; i < 4; ++i) {
      if (!base_schemes[i].empty()) pair.codes[i] = {further++, base_schemes[i]};
      if (!candidate_schemes[i].empty()) pair.codes[4 + i] = {further++, candidate_schemes[i]};
    }
  }

  Reencoding sum(const std::vector<std::uint64_t>& outcomes, double near = 0.995,
                 double control = 0.1) const {
    return reencoding_of(pair, [&](std::string_view, std::string_view subject) {
      for (std::size_t i = 0; i < parts_of_copy.size(); ++i) {
        if (subject != path_of(Role{.layer = 0, .part = parts_of_copy.at(i)})) continue;
        Features f;
        f.counts["outcome"] = outcomes[i];
        f.numbers = {{"near", near}, {"control", control}};
        return std::optional(f);
      }
      return std::optional<Features>();
    });
  }
};

const std::vector<std::string> none(4), all_q4(4, "Q4_K");

TEST(Reencoding, CodesComeAfterTheNumbersThatTheyWereMadeFrom) {
  const TwoModels forwards(Dtype::bf16, Dtype::f32, none, all_q4),
      backwards(Dtype::f32, Dtype::bf16, all_q4, none),
      both(Dtype::f32, Dtype::f32, all_q4, std::vector<std::string>(4, "Q8_0"));
  const Reencoding copy = forwards.sum({tells, tells, is_near, tells});
  EXPECT_TRUE(copy.all_rounded());
  EXPECT_EQ(copy.direction, 1);
  EXPECT_EQ(copy.quantised, 4U);
  EXPECT_EQ(copy.telling, 3U);
  EXPECT_EQ(copy.nearest, 0.995);
  EXPECT_EQ(copy.farthest_control, 0.1);
  EXPECT_EQ(copy.coarser, "Q4_K");
  EXPECT_EQ(backwards.sum({tells, tells, is_near, tells}).direction, -1);
  const Reencoding two = both.sum({tells, tells, tells, tells});
  EXPECT_EQ(two.direction, 0);
  EXPECT_EQ(two.coarser, "Q4_K and in Q8_0");
}

TEST(Reencoding, SomeQuantisedWeightHasToTell) {
  const TwoModels models(Dtype::bf16, Dtype::f32, none, {"Q4_K", "Q4_K", "", ""});
  EXPECT_TRUE(models.sum({tells, is_near, either_way, either_way}).all_rounded());
  // A plain cast of the others is no evidence for codes.
  EXPECT_FALSE(models.sum({is_near, is_near, either_way, either_way}).all_rounded());
  EXPECT_TRUE(std::isnan(models.sum({is_near, is_near, either_way, either_way}).farthest_control));
  EXPECT_FALSE(models.sum({tells, differs, either_way, either_way}).all_rounded());
}

TEST(Reencoding, NumbersThatLieOnCodesHaveNoDirection) {
  const TwoModels models(Dtype::bf16, Dtype::f32, none, all_q4);
  const Reencoding found = models.sum({lies_on_codes, lies_on_codes, lies_on_codes, lies_on_codes});
  EXPECT_TRUE(found.all_rounded());
  EXPECT_EQ(found.direction, 0);
  EXPECT_EQ(found.rounded, 4U);
}

TEST(Reencoding, AllSchemesAreNamedTheMostFrequentFirst) {
  const TwoModels models(Dtype::bf16, Dtype::f32, none, {"Q6_K", "Q4_K", "Q4_K", "Q6_K"});
  EXPECT_EQ(models.sum({tells, tells, tells, differs}).coarser, "Q4_K and in Q6_K");
  const TwoModels many(Dtype::bf16, Dtype::f32, none, {"Q3_K", "Q4_K", "Q5_K", "Q6_K"});
  EXPECT_THAT(many.sum({tells, tells, tells, tells}).coarser, testing::EndsWith(" and in others"));
}

TEST(Reencoding, TypesAreSummedUpAsBefore) {
  const TwoModels models(Dtype::f32, Dtype::bf16, none, none);
  const Reencoding rounded = models.sum({candidate_is_rounded, candidate_is_rounded, same, either_way});
  EXPECT_TRUE(rounded.all_rounded());
  EXPECT_EQ(rounded.direction, 1);
  EXPECT_EQ(rounded.coarser, "BF16");
  EXPECT_EQ(models.sum({base_is_rounded, candidate_is_rounded, same, same}).direction, 0);
  EXPECT_TRUE(models.sum({same, same, same, same}).all_equal());
  EXPECT_FALSE(models.sum({same, same, same, same}).all_rounded());
}

TEST(Reencoding, WeightsThatAnAdapterWasMergedIntoAreNotHeldAgainstCodes) {
  TwoModels models(Dtype::f32, Dtype::f32, all_q4, all_q4);
  EXPECT_EQ(reencoding_analyzer().subjects(models.pair, {}).front().matrices.size(), 4U);
  for (auto& [matrix, codes] : models.pair.codes) codes.updated = matrix >= 4;
  for (const Subject& subject : reencoding_analyzer().subjects(models.pair, {}))
    EXPECT_EQ(subject.matrices.size(), 2U) << subject.path;
}

}  // namespace
}  // namespace stemma
