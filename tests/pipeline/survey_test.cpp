// Does every model that cannot be opened become a row of its own, whatever went wrong?
#include "pipeline/survey.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "tests/io/formats/fixtures.hpp"
#include "tests/pipeline/short_memory.hpp"

namespace stemma {
namespace {

using fixtures::TemporaryDirectory;

SurveyedModel survey_one(const std::string& path, const std::string& architecture = "",
                         std::size_t refused = 0) {
  ModelRequest request;
  request.id = "named";
  request.path = path;
  request.architecture = architecture;
  const auto tables = ArchitectureTables::shipped_and({});
  test::refuse_once_from = refused;
  const auto models = survey({&request, 1}, tables);
  EXPECT_EQ(std::exchange(test::refuse_once_from, 0), 0U) << "it was refused";
  return models.at(0);
}

void expect_row(const SurveyedModel& surveyed, const std::string& rule, const std::string& says) {
  EXPECT_FALSE(surveyed.model);
  ASSERT_TRUE(surveyed.failure);
  EXPECT_EQ(surveyed.failure->model, "named");
  EXPECT_EQ(surveyed.failure->rule, rule) << surveyed.failure->sentence;
  EXPECT_NE(surveyed.failure->sentence.find(says), std::string::npos) << surveyed.failure->sentence;
  EXPECT_FALSE(surveyed.failure->when.empty());
}

TEST(Survey, ANameThatNoFileSystemTakesIsAModelThatCannotBeOpened) {
  const std::string name(300, 'x');
  expect_row(survey_one(name), "no_model_found", "too long");
}

TEST(Survey, ALinkThatLeadsToItselfIsAModelThatCannotBeOpened) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink(directory.path("loop"), directory.path("loop"));
  expect_row(survey_one(directory.path("loop")), "no_model_found", "loop");
}

TEST(Survey, AModelThatDoesNotFitInMemoryIsARow) {
  const TemporaryDirectory directory;
  const std::string note(std::size_t{1} << 20, 'n');
  directory.write("model.safetensors",
                  fixtures::safetensors(R"({"__metadata__":{"note":")" + note + R"("}})"));
  expect_row(survey_one(directory.path("model.safetensors"), "", note.size()), "survey.out_of_memory",
             "model.safetensors");
}

TEST(Survey, AFamilyThatNobodyKnowsIsARow) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", fixtures::safetensors_of({{"a", "xyz"}}));
  expect_row(survey_one(directory.path("model.safetensors"), "lama"), "architecture.unknown_family", "lama");
}

TEST(Survey, OneBadModelDisturbsNoOther) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", fixtures::safetensors_of({{"a", "xyz"}}));
  std::vector<ModelRequest> requests(40);  // enough for several threads
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].id = fmt::format("m{:02}", i);
    requests[i].path = i % 8 == 3 ? std::string(300, 'x') : directory.path("model.safetensors");
  }
  DoneCount opened = 0;
  const auto models = survey(requests, ArchitectureTables::shipped_and({}), &opened);
  EXPECT_EQ(opened, requests.size());
  ASSERT_EQ(models.size(), requests.size());
  for (std::size_t i = 0; i < models.size(); ++i) {
    EXPECT_EQ(models[i].request.id, requests[i].id);
    EXPECT_EQ(models[i].model.has_value(), i % 8 != 3);
    EXPECT_EQ(models[i].failure.has_value(), i % 8 == 3);
  }
}

}  // namespace
}  // namespace stemma
