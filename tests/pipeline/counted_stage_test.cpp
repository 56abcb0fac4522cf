// Does a stage that counts say how far it is, though nobody asks?
#include "pipeline/counted_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

TEST(CountedStage, ALineComesWhileTheLoopGoesOn) {
  const fixtures::TemporaryDirectory here;
  const std::filesystem::path where = here.path(), lines = where / "log", status = where / "status.json";
  {
    Log log(true);
    log.copy_to(lines);
    CountedStage stage(log, "compare", "pairs", 2000,
                       {.renderer = ProgressRenderer::lines,
                        .every = std::chrono::seconds(1),
                        .status_file = status,
                        .failed = 3});
    for (int i = 0; i < 500; ++i) count_one(&stage.done());
    for (int i = 0; i < 1500 && content_of(lines).empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(std::filesystem::exists(status)) << "ten seconds are not over";
  }
  EXPECT_THAT(content_of(lines), testing::ContainsRegex("  compare   500/2,000 pairs 25 %\n"));
  const auto told = nlohmann::json::parse(content_of(status));
  EXPECT_EQ(told["stage"], "compare");
  EXPECT_EQ(told["unit"], "pairs");
  EXPECT_EQ(told["failed"], 3) << "of stages before it";
  EXPECT_EQ(told["done"], 500);
  EXPECT_EQ(told["total"], 2000);
  EXPECT_TRUE(told["rate"].is_null());
  EXPECT_TRUE(told["eta"].is_null());
}

TEST(CountedStage, WhatIsSoonOverSaysNothing) {
  const fixtures::TemporaryDirectory here;
  {
    Log log(true);
    log.copy_to(here.path() + "/log");
    CountedStage stage(log, "survey", "models", 2, {.renderer = ProgressRenderer::lines});
    stage.done() = 2;
    count_one(nullptr);
  }
  EXPECT_EQ(content_of(here.path() + "/log"), "");
}

}  // namespace
}  // namespace stemma
