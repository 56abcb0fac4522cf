// Does an item notice a file that changes while it is read, and does its result survive the journey?
#include "pipeline/perform.hpp"

#include <gtest/gtest.h>

#include "pipeline/plan.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

/// A model of one layer whose norm lies in a file of its own.
SurveyedModel model_with_norm() {
  SurveyedModel surveyed = test::fake_model("m", 1, 32);
  Model& model = *surveyed.model;
  Matrix norm;
  norm.role = {.layer = 0, .part = Part::norm_pre_attn};
  norm.tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size());
  norm.rows = norm.stored_rows = 1;
  norm.cols = 32;
  norm.vector = true;
  norm.slice = {.count = 1, .stride = 0, .offset = 0, .length = 1};
  model.checkpoint.files.push_back({.path = "m/norms", .bytes = 128});
  model.checkpoint.tensors.push_back(
      {.name = "norm", .dtype = Dtype::f32, .shape = {32}, .file = 1, .offset = 0, .bytes = 128});
  model.matrices.push_back(norm);
  return surveyed;
}

/// The results of every subject of that model, which `reader` reads.
std::vector<ItemResult> results_with(ByteReader& reader) {
  const std::vector<SurveyedModel> models{model_with_norm()};
  const std::vector<Question> questions = test::all_questions();
  const Plan plan = make_plan(models, questions, CostModel{}, MachineLayout(), std::uint64_t{4} << 30);
  OrderBook book(models, questions);
  std::vector<ItemResult> results;
  for (std::uint32_t i = 0; i < plan.items.size(); ++i)
    results.push_back(perform(book.order(i, plan.items[i]), reader));
  return results;
}

TEST(Perform, ACompanionThatChangedWhileItWasReadFailsTheSubjectsThatReadIt) {
  test::FakeReader sound, changing({}, [](const SourceFile&file) {
    if (file.path == "m/norms")
      throw InvalidInput(
          {.severity = Severity::error, .rule = "file.changed_while_reading", .file = file.path});
  });
  std::size_t intrinsic = 0, others = 0;
  for (const ItemResult& result : results_with(sound))
    for (const Features& f : result.features)
      EXPECT_EQ(f.status, Status::ok) << f.subject << ": " << f.problem;
  for (const ItemResult& result : results_with(changing))
    for (const Features& f : result.features) {
      const bool reads_norms =
          f.analyzer == "intrinsic_fingerprint" || f.subject.find("norm") != std::string::npos;
      EXPECT_EQ(f.status == Status::failed, reads_norms)
          << f.analyzer << " " << f.subject << ": " << f.problem;
      EXPECT_EQ(f.rule, reads_norms ? "file.changed_while_reading" : "") << f.subject;
      ++(f.analyzer == "intrinsic_fingerprint" ? intrinsic : others);
    }
  EXPECT_GE(intrinsic, 2U);
  EXPECT_GE(others, 4U);
}

TEST(Perform, AResultIsTheSameAfterItsJourneyAndSaysWhenItEnded) {
  test::FakeReader reader;
  for (const ItemResult& result : results_with(reader)) {
    const ItemResult back = decode_result(encode(result));
    EXPECT_EQ(back.item, result.item);
    EXPECT_EQ(back.seconds, result.seconds);
    EXPECT_EQ(back.bytes_read, result.bytes_read);
    ASSERT_EQ(back.features.size(), result.features.size());
    for (std::size_t i = 0; i < back.features.size(); ++i)
      EXPECT_EQ(encode(back.features[i]), encode(result.features[i]));  // as bytes: NaN is equal to itself
    EXPECT_EQ(back.spent, result.spent);
    EXPECT_EQ(back.ended, result.ended);
    EXPECT_EQ(result.ended.size(), std::string("2026-11-21T10:02:11Z").size());
    EXPECT_EQ(result.spent.size(), result.features.size());
  }
}

TEST(Perform, AResultThatWasCutIsRefusedWhereverTheCutIs) {
  test::FakeReader reader;
  const auto bytes = encode(results_with(reader).front());
  for (std::size_t n = 0; n < bytes.size(); n += n < 100 ? 1 : 97)
    EXPECT_ANY_THROW(decode_result(std::span(bytes).first(n))) << n;
}

}  // namespace
}  // namespace stemma
