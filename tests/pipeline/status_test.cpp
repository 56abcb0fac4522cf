// Does the status say null where nothing is known, and keep what is known when a run ends badly?
#include "pipeline/status.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace stemma {
namespace {

using Json = nlohmann::json;

class Status : public testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(file_) << text; }
  void TearDown() override { std::filesystem::remove(file_); }
  std::filesystem::path file_ = std::filesystem::path(testing::TempDir()) / "status_test.json";
};

TEST_F(Status, WhatIsNotKnownIsNull) {
  const Json said = Json::parse(status_json({.stage = "start"}));
  for (const char* name : {"rate", "eta", "deadline", "exit_code"})
    EXPECT_TRUE(said.at(name).is_null()) << name;
  EXPECT_EQ(said.at("schema"), "stemma.status/1");
  EXPECT_EQ(said.at("done"), 0);
}

TEST_F(Status, WhatIsKnownIsSaid) {
  const Json said = Json::parse(status_json({.stage = "work",
                                             .done = 3,
                                             .total = 9,
                                             .bytes = 1000,
                                             .rate = 250.4,
                                             .eta = 61.7,
                                             .deadline = "2026-11-21T14:02:10Z",
                                             .failed = 1,
                                             .exit_code = 0}));
  EXPECT_EQ(said.at("rate"), 250);
  EXPECT_EQ(said.at("eta"), 62);
  EXPECT_EQ(said.at("deadline"), "2026-11-21T14:02:10Z");
  EXPECT_EQ(said.at("exit_code"), 0);
}

TEST_F(Status, AnEndWithoutResultKeepsTheNumbers) {
  write(status_json({.stage = "work",
                     .done = 3,
                     .total = 9,
                     .bytes = 1000,
                     .rate = 250,
                     .eta = 61,
                     .deadline = "2026-11-21T14:02:10Z",
                     .failed = 1}));
  const Json said = Json::parse(ended_status_json(file_, "stopped", 85));
  EXPECT_EQ(said.at("stage"), "stopped");
  EXPECT_EQ(said.at("exit_code"), 85);
  EXPECT_EQ(said.at("done"), 3);
  EXPECT_EQ(said.at("total"), 9);
  EXPECT_EQ(said.at("bytes"), 1000);
  EXPECT_EQ(said.at("failed"), 1);
  EXPECT_EQ(said.at("deadline"), "2026-11-21T14:02:10Z");
  EXPECT_TRUE(said.at("eta").is_null());
  EXPECT_TRUE(said.at("rate").is_null());
}

TEST_F(Status, WhatCannotBeReadIsZero) {
  for (const char* text : {"", "[]", "{\"done\": -1, \"total\": \"x\", \"deadline\": 7}", "{\"done\": 3"}) {
    write(text);
    const Json said = Json::parse(ended_status_json(file_, "failed", 2));
    EXPECT_EQ(said.at("done"), 0) << text;
    EXPECT_EQ(said.at("total"), 0) << text;
    EXPECT_TRUE(said.at("deadline").is_null()) << text;
  }
  EXPECT_EQ(Json::parse(ended_status_json(file_ / "absent", "failed", 2)).at("exit_code"), 2);
}

}  // namespace
}  // namespace stemma
