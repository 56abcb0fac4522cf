// Is the table of the layout consistent with itself, with its document and with the rules of the format?
#include "io/archive/layout.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace stemma::layout {
namespace {

TEST(Layout, DocumentContainsTheGeneratedText) {
  std::ifstream in(STEMMA_SOURCE_DIR "/io/archive/LAYOUT.md");
  std::stringstream document;
  document << in.rdbuf();
  EXPECT_NE(document.str().find("```text\n" + as_text() + "```\n"), std::string::npos)
      << "LAYOUT.md must contain:\n"
      << as_text();
}

TEST(Layout, NamesAreUniqueInEveryGroup) {
  for (const Group& group : groups()) {
    std::set<std::string> names;
    for (const Dimension& d : group.dimensions)
      EXPECT_TRUE(names.insert(d.name).second) << group.path << d.name;
    for (const Column& c : group.columns)
      EXPECT_TRUE(names.insert(c.name).second) << group.path << "/" << c.name;
  }
}

TEST(Layout, EveryColumnKeepsTheRules) {
  for (const Group& group : groups())
    for (const Column& c : group.columns) {
      const std::string path = path_in(group, c.name);
      EXPECT_FALSE(c.long_name.empty()) << path;
      EXPECT_EQ(c.type == h5::Type::str, c.units.empty()) << path;
      if (c.type == h5::Type::str) {
        EXPECT_LE(c.dims.size(), 1U) << path;
      }
      if (!c.flags.empty()) {
        EXPECT_EQ(c.type, h5::Type::u1) << path;
        EXPECT_NO_THROW((void)flag_table(c.flags)) << path;
      }
      if (!c.refers.empty()) {
        EXPECT_EQ(c.type, h5::Type::u4) << path;
      }
      for (const std::string& dim : c.dims) EXPECT_NO_THROW((void)find_dimension(group, dim)) << path;
      if (!c.counts.empty()) {
        EXPECT_NO_THROW((void)find_dimension(group, c.counts)) << path;
      }
    }
}

TEST(Layout, HashesAndNamesEnterButPathsTimesAndHostsDoNot) {
  std::map<std::string, Enters> enters;
  for (const Group& group : groups())
    for (const Column& c : group.columns) enters[path_in(group, c.name)] = c.enters;
  EXPECT_EQ(enters.at("models/id"), Enters::exact);
  EXPECT_EQ(enters.at("tensors/content_hash_hi"), Enters::exact);
  EXPECT_EQ(enters.at("moments/std_unbiased"), Enters::exact);
  EXPECT_EQ(enters.at("histograms/count"), Enters::exact);
  EXPECT_EQ(enters.at("evidence/score"), Enters::feature);
  for (const char* path : {"models/path", "files/path", "files/mtime_ns", "failures/when", "failures/node",
                           "provenance/started", "provenance/name", "plan/width", "findings/file"})
    EXPECT_EQ(enters.at(path), Enters::record) << path;
}

TEST(Layout, FlagMeaningsAreSingleWords) {
  for (const FlagTable& table : flag_tables())
    for (const auto& [value, meaning] : table.values)
      EXPECT_EQ(meaning.find_first_of(" \t"), std::string::npos) << table.name << " " << meaning;
}

TEST(Layout, JsonNamesEveryColumn) {
  const auto json = nlohmann::json::parse(as_json());
  ASSERT_EQ(json.at("groups").size(), groups().size());
  for (std::size_t i = 0; i < groups().size(); ++i)
    EXPECT_EQ(json["groups"][i]["columns"].size(), groups()[i].columns.size());
  EXPECT_EQ(nlohmann::json::parse(flag_tables_json()).at("status").at("0"), "ok");
}

}  // namespace
}  // namespace stemma::layout
