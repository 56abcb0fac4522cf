// Do the schema, the reference page and the examples in configs/ say what the program reads?
// STEMMA_UPDATE=1 rewrites the files in configs/ from the program.
#include "io/config/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/config/key_table.hpp"
#include "io/config/models.hpp"
#include "io/config/run_series.hpp"
#include "io/config/sheet.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path configs = fs::path(STEMMA_SOURCE_DIR) / "configs";

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void expect_committed(const std::string& name, const std::string& text) {
  if (std::getenv("STEMMA_UPDATE")) std::ofstream(configs / name, std::ios::binary) << text;
  EXPECT_EQ(contents(configs / name), text) << name << " is stale: run this test with STEMMA_UPDATE=1";
}

TEST(Schema, CommittedFilesAreCurrent) {
  expect_committed("stemma.schema.json", json_schema());
  expect_committed("README.md", markdown());
  for (const std::string name : {"minimal", "demo", "audit", "sweep"})
    expect_committed(name + ".yaml", *example(name));
  EXPECT_FALSE(example("nonsense"));
}

TEST(Schema, EveryKeyStandsInSchemaReferenceAndHelp) {
  const auto schema = nlohmann::json::parse(json_schema());
  const std::string page = markdown();
  const std::string help = help_text();
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  for (const Key& key : key_table()) {
    std::string pointer = "/properties/" + key.path;
    for (std::size_t dot = pointer.find('.'); dot != std::string::npos; dot = pointer.find('.')) {
      pointer.replace(dot, 1, "/properties/");
    }
    const auto at = nlohmann::json::json_pointer(pointer);
    ASSERT_TRUE(schema.contains(at)) << key.path;
    EXPECT_EQ(schema[at]["description"], key.meaning);
    if (key.type == KeyType::section) {
      EXPECT_EQ(schema[at]["additionalProperties"], false) << key.path;
    }
    if (key.type == KeyType::choice) {
      EXPECT_EQ(schema[at]["enum"], nlohmann::json(key.choices)) << key.path;
    }
    if (key.type == KeyType::integer) {
      EXPECT_EQ(schema[at]["minimum"], key.lowest) << key.path;
      EXPECT_EQ(schema[at]["maximum"], key.highest) << key.path;
    }
    EXPECT_THAT(page, HasSubstr("| `" + key.path + "` |"));
    EXPECT_THAT(help, HasSubstr(key.path + " "));
  }
  const auto& axes = schema["properties"]["sweep"]["properties"]["over"]["properties"];
  EXPECT_EQ(axes["seed"]["items"]["minimum"], 0);
  EXPECT_FALSE(axes.contains("output") || axes.contains("analyzers.content"));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], nlohmann::json({"schema_version", "models"}));
  EXPECT_EQ(schema["properties"]["seed"]["default"], 1);
  EXPECT_EQ(schema["properties"]["runtime"]["properties"]["progress_every"]["default"], "30s");
  EXPECT_EQ(schema["properties"]["compare"]["properties"]["pairs"]["default"], "all");
}

TEST(Schema, ModelsHaveTheSameKeysAsTheReader) {
  const auto schema = nlohmann::json::parse(json_schema());
  const auto& entry = schema["properties"]["models"]["items"]["anyOf"][1];
  std::vector<std::string> notes;
  for (const auto& [key, value] : entry["properties"].items()) {
    if (key == "hf") continue;  // looks into the cache at once
    const bool kind = key == "path" || key == "glob" || key == "sheet";
    const std::string beside = kind               ? ""
                               : key == "adapter" ? "\"on\": b, "
                               : key == "on"      ? "adapter: a, "
                                                  : "path: /a, ";
    const std::string text = "schema_version: 1\nmodels: [{" + beside + "\"" + key +
                             "\": " + (key == "use" ? "reference" : "x") + "}]\n";
    EXPECT_NO_THROW((void)parse_run_config(text, "a.yaml", {}, notes)) << key;
  }
  EXPECT_EQ(entry["properties"].size(), 15u);
}

TEST(Schema, SheetColumnsStandInSchemaAndReference) {
  const auto schema = nlohmann::json::parse(sheet_json_schema());
  for (const SheetColumn& column : sheet_columns()) {
    EXPECT_TRUE(schema["properties"].contains(column.name)) << column.name;
    EXPECT_THAT(markdown(), HasSubstr("| `" + std::string(column.name) + "` |"));
  }
}

TEST(Examples, CarryBothModelinesAndAreReadWithoutNotes) {
  for (const std::string name : {"minimal", "demo", "audit", "sweep"}) {
    const fs::path file = configs / (name + ".yaml");
    const std::string text = contents(file);
    EXPECT_THAT(text, HasSubstr("# yaml-language-server: $schema=./stemma.schema.json\n"));
    EXPECT_THAT(text, HasSubstr("# $schema: ./stemma.schema.json\n"));
    std::vector<std::string> notes;
    std::optional<RunSeries> series;
    ASSERT_NO_THROW(series.emplace(text, file.string(), std::vector<Override>{}, notes,
                                   [](const std::string&) { return std::nullopt; }));
    EXPECT_EQ(series->size(), name == "sweep" ? 8u : 1u);
    const RunConfig config = series->at(0).config;
    EXPECT_EQ(config.name, name == "audit" ? "qwen_audit" : name == "sweep" ? "noise_sweep" : name);
    std::vector<std::string> more;
    EXPECT_EQ(parse_run_config(resolved_yaml(config), "r.yaml", {}, more), config);
    EXPECT_THAT(notes, IsEmpty());
  }
}

TEST(Examples, AuditAndItsSheetFitTogether) {
  const fs::path root = fs::temp_directory_path() / ("stemma_audit_" + std::to_string(getpid()));
  fs::remove_all(root);
  for (const char* name :
       {"reference/Qwen2.5-7B", "reference/Qwen2.5-7B-Instruct", "controls/one", "controls/two",
        "uploads/acme-7b", "uploads/acme-7b-merged", "uploads/unclaimed-7b"}) {
    fs::create_directories(root / name);
  }
  std::ofstream(root / "audit.yaml") << *example("audit");
  std::ofstream(root / "models.tsv") << *example("sheet");
  std::vector<std::string> notes;
  const RunConfig config = read_run_config((root / "audit.yaml").string(), {}, notes);
  const auto models = expand_models(config, notes);
  fs::remove_all(root);
  EXPECT_THAT(notes, IsEmpty());
  ASSERT_EQ(models.size(), 7u);
  EXPECT_EQ(models[1].base, (std::vector<std::string>{"acme-7b", "qwen2.5-7b"}));
  EXPECT_EQ(models[4].id, "Qwen2.5-7B-Instruct");
  EXPECT_EQ(models[6].use, ModelUse::background);
}

}  // namespace
}  // namespace stemma
