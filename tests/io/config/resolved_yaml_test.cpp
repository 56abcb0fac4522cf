// Does every key of the table reach RunConfig, and does the resolved configuration read back to the same
// value?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "io/config/key_table.hpp"
#include "tests/io/config/reading.hpp"

namespace stemma {
namespace {

/// A YAML value of the key that differs from its default.
std::string other_value(const Key& key) {
  switch (key.type) {
    case KeyType::boolean:
      return std::get<bool>(key.value(RunConfig{})) ? "false" : "true";
    case KeyType::choice: {
      const auto initial = std::get<std::string>(key.value(RunConfig{}));
      return key.choices[0] == initial ? key.choices[1] : key.choices[0];
    }
    case KeyType::integer:
      return "7";
    case KeyType::size:
      return "30MB";
    case KeyType::real:
      return "0.0625";
    case KeyType::size_or_auto:
      return "3GiB";
    case KeyType::duration:
      return "10s";
    case KeyType::moment:
      return "+4h";
    case KeyType::input_paths:
      return "[/x, /y]";
    case KeyType::texts:
      return "[x, y-*]";
    case KeyType::input_path:
    case KeyType::word_or_path:
      return "/x";
    default:
      return "other";
  }
}

TEST(KeyTable, EveryKeyIsReadResolvedAndReadAgain) {
  for (const Key& key : key_table()) {
    if (!key.value || key.required || key.type == KeyType::question) continue;
    std::vector<std::string> arguments = {key.path + "=" + other_value(key)};
    for (const std::string section : {"compare", "trace"}) {
      if (key.path == section + ".list") arguments.push_back(section + ".pairs=listed");
      if (key.path == section + ".pairs") arguments = {section + ".pairs=declared"};
    }
    const Reading reading(head, arguments);
    ASSERT_TRUE(reading.config) << key.path << testing::PrintToString(reading.problems);
    EXPECT_NE(key.value(*reading.config), key.value(RunConfig{})) << key.path;

    const std::string resolved = resolved_yaml(*reading.config);
    const Reading again(resolved, {}, {}, "/elsewhere/config.resolved.yaml");
    ASSERT_TRUE(again.config) << resolved << testing::PrintToString(again.problems);
    EXPECT_EQ(*again.config, *reading.config) << key.path;
    EXPECT_EQ(resolved_yaml(*again.config), resolved);
    EXPECT_TRUE(again.notes.empty()) << testing::PrintToString(again.notes);
  }
}

TEST(KeyTable, KeysAreUniqueExplainedAndInTheirSection) {
  std::set<std::string> seen;
  for (const Key& key : key_table()) {
    EXPECT_TRUE(seen.insert(key.path).second) << key.path;
    EXPECT_GT(key.meaning.size(), 10u) << key.path;
    const std::size_t dot = key.path.rfind('.');
    EXPECT_TRUE(dot == std::string::npos || seen.contains(key.path.substr(0, dot))) << key.path;
    const bool leaf =
        key.type != KeyType::section && key.type != KeyType::question && key.type != KeyType::questions;
    EXPECT_TRUE(!leaf || !key.consumer.empty()) << key.path;
  }
}

TEST(ResolvedYaml, KeepsModelsAndAwkwardTexts) {
  const Reading reading(
      "schema_version: 1\ndescription: \"a \\\"b\\\" \\\\ \\n # é: {x}\"\ncontact: \"no\"\nmodels:\n"
      "  - {path: m, id: i, label: \"#1: x\", base: [a, b], relation: merge, family: f, use: background, "
      "revision: \"1e5\", variant: v, architecture: llama}\n  - {glob: \"*/\"}\n  - sheet: s.tsv\n",
      {}, {}, "/d[x]/c.yaml");
  ASSERT_TRUE(reading.config) << testing::PrintToString(reading.problems);
  const Reading again(resolved_yaml(*reading.config), {}, {}, "/other/r.yaml");
  ASSERT_TRUE(again.config) << testing::PrintToString(again.problems);
  EXPECT_EQ(*again.config, *reading.config);
  EXPECT_TRUE(again.notes.empty());
}

TEST(ResolvedYaml, PlacesDecideNoResults) {
  const Reading here(head), there(head + "output: elsewhere\n", {"runtime.store=/s"});
  ASSERT_TRUE(there.config);
  EXPECT_NE(resolved_yaml(*there.config), resolved_yaml(*here.config));
  EXPECT_EQ(results_yaml(*there.config), results_yaml(*here.config));
}

TEST(ResolvedYaml, LooksLikeAConfiguration) {
  const Reading reading(head + "analyzers: {content: {}}\n");
  EXPECT_EQ(resolved_yaml(*reading.config), R"(schema_version: 1
name: "a"
description: ""
contact: ""
output: "runs/a"
seed: 1
architectures: []
models:
  - {path: "/m", use: subject}
analyzers:
  content:
    sha256: false
compare:
  against: []
  pairs: all
  tests:
    content: {}
  background: corpus
  independent: []
trace:
  enabled: true
  pairs: candidates
  max_pairs: 1000
  tests:
    origin_tracer:
      max_rank: 256
verdicts:
  declared: check
  fdr: 0.01
  min_share: 0.1
  min_layers_share: 0.5
  tree: neighbour_joining
  tree_support: 100
report:
  html: true
  title: ""
  subtitle: ""
  labels: id
  max_size: 10MB
  pairs: all
  features: auto
  redact_paths: false
  multiqc: false
runtime:
  memory_per_rank: auto
  rehash: false
  strict: false
  reproducible: false
  coordinator: auto
  calibration: auto
  io:
    direct: auto
  progress: auto
  progress_every: 30s
  log_level: info
  deadline: auto
  deadline_margin: 90s
)");
}

}  // namespace
}  // namespace stemma
