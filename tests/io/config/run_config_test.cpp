// Does a run configuration read to what was written, and show all of its mistakes at once?
#include "io/config/run_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/io/config/reading.hpp"

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> problems_of(const std::string& text) { return Reading(text).problems; }

TEST(RunConfig, LittleIsRequired) {
  const Reading reading(head);
  ASSERT_TRUE(reading.config);
  EXPECT_TRUE(reading.notes.empty());
  RunConfig expected;
  expected.name = "a";
  expected.output = "runs/a";
  expected.models.emplace_back().location = "/m";
  EXPECT_EQ(*reading.config, expected);
  EXPECT_EQ(reading.config->models[0].place, "/etc/a.yaml:2:10");
  EXPECT_THAT(problems_of(""), ElementsAre(HasSubstr("models is missing"),
                                           HasSubstr("schema_version is missing. Write schema_version: 1")));
}

TEST(RunConfig, ReadsEveryKind) {
  const Reading reading(R"(schema_version: 1
name: audit-1
description: "two words"
output: out/{name}/x
seed: 9223372036854775807
architectures: [tables, /abs]
models:
  - plain
  - {path: ../up, id: a.b, label: "A B", base: [x, y], relation: merge, family: f, use: reference, revision: r,
     variant: fp16, architecture: llama}
  - {glob: "c/*/", use: background}
  - sheet: ${HERE}/s.tsv
analyzers:
  intrinsic_fingerprint: {twin: false}
  content:
compare:
  pairs: listed
  list: p.tsv
  tests: {intrinsic_fingerprint: {depth: refuse, min_layers: 2}}
  background: nulls.tsv
verdicts: {declared: ignore}
report: {labels: label}
runtime: {memory_per_rank: 1.5GiB, store: /s, strict: true, coordinator: dedicated, calibration: fast.json, io: {direct: never}, reproducible: true, progress: none, progress_every: 1min, log_level: warn}
)",
                        {}, {{"HERE", "/here"}});
  ASSERT_TRUE(reading.config) << testing::PrintToString(reading.problems);
  const RunConfig& config = *reading.config;
  EXPECT_EQ(config.output, "out/audit-1/x");
  EXPECT_EQ(config.seed, INT64_MAX);
  EXPECT_THAT(config.architectures, ElementsAre("/etc/tables", "/abs"));
  ASSERT_EQ(config.models.size(), 4u);
  EXPECT_EQ(config.models[0].location, "/etc/plain");
  EXPECT_EQ(config.models[1].location, "/up");
  EXPECT_EQ(config.models[1].id, "a.b");
  EXPECT_THAT(config.models[1].base, ElementsAre("x", "y"));
  EXPECT_EQ(config.models[1].use, ModelUse::reference);
  EXPECT_EQ(config.models[1].variant, "fp16");
  EXPECT_EQ(config.models[1].architecture, "llama");
  EXPECT_EQ(config.models[2].kind, ModelListing::Kind::glob);
  EXPECT_EQ(config.models[2].location, "/etc/c/*/");
  EXPECT_EQ(config.models[2].use, ModelUse::background);
  EXPECT_EQ(config.models[3].kind, ModelListing::Kind::sheet);
  EXPECT_EQ(config.models[3].location, "/here/s.tsv");
  EXPECT_EQ(config.analyzers, (AnalyzerOptions{{"content", {{"sha256", 0}}},
                                               {"intrinsic_fingerprint", {{"further", 1}, {"twin", 0}}}}));
  EXPECT_EQ(config.compare.pairs, Pairs::listed);
  EXPECT_EQ(config.compare.list, "/etc/p.tsv");
  EXPECT_EQ(config.compare.tests,
            (TestOptions{{"intrinsic_fingerprint", {{"depth", "refuse"}, {"min_layers", "2"}}}}));
  EXPECT_EQ(config.compare.background, "/etc/nulls.tsv");
  EXPECT_EQ(config.verdicts.declared, DeclaredLineage::ignore);
  EXPECT_EQ(config.report.labels, Labels::label);
  EXPECT_EQ(config.runtime.io.direct, DirectIo::never);
  EXPECT_EQ(config.runtime.store, "/s");
  EXPECT_TRUE(config.runtime.reproducible);
  EXPECT_EQ(config.runtime.memory_per_rank, 3ULL << 29);
  EXPECT_EQ(config.runtime.calibration, "/etc/fast.json");
  EXPECT_TRUE(config.runtime.strict);
  EXPECT_EQ(config.runtime.coordinator, CoordinatorStyle::dedicated);
  EXPECT_EQ(config.runtime.progress, ProgressStyle::none);
  EXPECT_EQ(config.runtime.progress_every, 60);
  EXPECT_EQ(config.runtime.log_level, LogLevel::warn);
}

TEST(RunConfig, TestsFollowTheAnalyzers) {
  const Reading fewer(head + "analyzers: {content: {}}\n");
  ASSERT_TRUE(fewer.config);
  EXPECT_EQ(fewer.config->compare.tests, (TestOptions{{"content", {}}}));
  EXPECT_THAT(
      problems_of(head + "analyzers:\n  content: {}\ncompare:\n  tests:\n    histogram: {}\n"),
      ElementsAre("/etc/a.yaml:7:5: compare.tests.histogram needs the analyzer histogram, which analyzers "
                  "(/etc/a.yaml:4:3) leaves out. Add it there, or remove the test"));
}

TEST(RunConfig, SaysWhatIsWrongWithOneMistake) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"seeed: 1", "/etc/a.yaml:3:1: seeed is not a known key. Did you mean seed?"},
      {"analyzers: {intrinsic_fingerprint: {furter: true}}",
       "/etc/a.yaml:3:37: analyzers.intrinsic_fingerprint.furter is not a known key. Did you mean further?"},
      {"memory_per_rank: 1GiB",
       "/etc/a.yaml:3:1: memory_per_rank is not a known key here. It belongs to runtime.memory_per_rank"},
      {"methods: {}", "/etc/a.yaml:3:1: methods is not a known key. Did you mean analyzers?"},
      {"workers: 4",
       "/etc/a.yaml:3:1: workers is not a known key. Ranks and threads come from mpirun or srun"},
      {"compare: {top: 32}", "/etc/a.yaml:3:11: compare.top is not supported by this version. Remove it"},
      {"threshold: 0.01", "/etc/a.yaml:3:1: threshold is not a known key. Did you mean verdicts.fdr?"},
      {"verdicts: {fdr: 0}", "/etc/a.yaml:3:17: verdicts.fdr = 0 is below 1e-12"},
      {"verdicts: {fdr: 0.21}", "/etc/a.yaml:3:17: verdicts.fdr = 0.21 is above 0.2"},
      {"verdicts: {fdr: .01}", "/etc/a.yaml:3:17: verdicts.fdr = .01 is not a number such as 0.01 or 1e-6"},
      {"verdicts: {min_share: -0.1}", "/etc/a.yaml:3:23: verdicts.min_share = -0.1 is below 0"},
      {"verdicts: {min_share: 1.5}", "/etc/a.yaml:3:23: verdicts.min_share = 1.5 is above 1"},
      {"verdicts: {min_layers_share: 2}", "/etc/a.yaml:3:30: verdicts.min_layers_share = 2 is above 1"},
      {"compare: {against: {a: b}}", "/etc/a.yaml:3:20: compare.against is a mapping; it must be a text"},
      {"trace: {tests: {neuron_match: }}",
       "/etc/a.yaml:3:17: trace.tests.neuron_match is not supported by this version. Remove it"},
      {"compare: {tests: {spectrum: {}}}",
       "/etc/a.yaml:3:19: compare.tests.spectrum is not supported by this version. Remove it"},
      {"seed: 1\nseed: 2",
       "/etc/a.yaml:4:1: seed is given twice (first in line 3); YAML readers keep one of them silently"},
      {"compare: {tests: {intrinsic_fingerprint: {min_layers: 1}}}",
       "/etc/a.yaml:3:55: compare.tests.intrinsic_fingerprint.min_layers = 1 is below 2 (a correlation needs "
       "at least "
       "two layers)"},
      {"compare: {tests: [content]}",
       "/etc/a.yaml:3:18: compare.tests is a list; it must be a mapping: name: {options}"},
      {"runtime: {strict: yes}", "/etc/a.yaml:3:19: runtime.strict = yes: write true or false"},
      {"runtime:\n\tstrict: true", "/etc/a.yaml:4:1: a tab indents this line; YAML wants spaces"},
      {"output: *.x",
       "/etc/a.yaml:3:9: the value begins with *, which YAML reads as an alias. Quote it: \"*.x\""},
      {"output: @x",
       "/etc/a.yaml:3:9: the value begins with @, which YAML reads as a reserved character. Quote it: "
       "\"@x\""},
      {"description: a: b",
       "/etc/a.yaml:3:14: the value holds a colon and a blank, which YAML reads as another key. Quote it: "
       "\"a: b\""},
      {"compare: {pairs: some}",
       "/etc/a.yaml:3:18: compare.pairs = some: write one of all, declared, reference, listed"},
      {"compare: {pairs: listed}",
       "/etc/a.yaml:3:18: compare.pairs = listed needs compare.list, a TSV with columns a and b"},
      {"trace: {pairs: listed}",
       "/etc/a.yaml:3:16: trace.pairs = listed needs trace.list, a TSV with columns a and b"},
      {"trace: {list: x.tsv}", "/etc/a.yaml:3:15: trace.list is only read with trace.pairs: listed"},
      {"compare: {list: x.tsv}", "/etc/a.yaml:3:17: compare.list is only read with compare.pairs: listed"},
      {"analyzers: {}",
       "/etc/a.yaml:3:12: analyzers is empty, so nothing would run. Name some, or remove the key"},
      {"seed: 017",
       "/etc/a.yaml:3:7: seed = 017 is not a whole number in plain decimal digits (YAML readers disagree "
       "about others)"},
      {"seed: 99999999999999999999",
       "/etc/a.yaml:3:7: seed = 99999999999999999999 is not a whole number of 64 bits"},
      {"seed: -1", "/etc/a.yaml:3:7: seed = -1 is below 0"},
      {"seed:", "/etc/a.yaml:3:1: seed has no value: write a whole number"},
      {"name: a/b",
       "/etc/a.yaml:3:7: name = a/b is not a file name of at most 64 letters, digits and ._- that begins "
       "with a letter "
       "or digit"},
      {"runtime: {memory_per_rank: 100MiB}",
       "/etc/a.yaml:3:28: runtime.memory_per_rank = 100MiB is below 512MiB"},
      {"runtime: {memory_per_rank: lots}",
       "/etc/a.yaml:3:28: runtime.memory_per_rank = lots is not a size: write bytes, or a number with a unit "
       "such as "
       "512MiB or 10GB"},
      {"runtime: {progress_every: 2min}", "/etc/a.yaml:3:27: runtime.progress_every = 2min is above 60s"},
      {"architectures: [\"${NOWHERE}/x\"]",
       "/etc/a.yaml:3:17: architectures[0]: ${NOWHERE} is not set in the environment. Set it, or write the "
       "path out"},
      {"architectures: ~other/x",
       "/etc/a.yaml:3:16: architectures: ~other/x begins with the home of another user, which is not looked "
       "up. Write "
       "it out, or ./~"},
  };
  for (const auto& [text, expected] : mistakes) {
    EXPECT_THAT(problems_of(head + text + "\n"), ElementsAre(expected)) << text;
  }
}

TEST(RunConfig, SaysWhatIsWrongWithModels) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"[]", "/etc/a.yaml:2:9: models names nothing: the list is empty"},
      {"/x", "/etc/a.yaml:2:9: models is a single value; it must be a list of locations"},
      {"[{id: x}]",
       "/etc/a.yaml:2:10: models[0] names no model. Give it one of path, hf, glob, sheet and adapter"},
      {"[{path: /a, glob: /b}]",
       "/etc/a.yaml:2:21: models[0] has path and glob; it must have exactly one of them"},
      {"[\"hf:Qwen/Qwen2.5-7B@..\"]",
       "/etc/a.yaml:2:10: hf:Qwen/Qwen2.5-7B@.. is no name of the hub. It is hf:org/name or "
       "hf:org/name@revision"},
      {"[{hf: a--b/c}]",
       "/etc/a.yaml:2:15: hf:a--b/c is no name of the hub. It is hf:org/name or hf:org/name@revision"},
      {"[{adapter: b}]",
       "/etc/a.yaml:2:10: models[0].on is missing. An adapter is read merged into its base"},
      {"[{path: b, \"on\": c}]",
       "/etc/a.yaml:2:26: models[0].on names the base of an adapter, and this entry has none"},
      {"[{path: /a, lable: x}]", "/etc/a.yaml:2:21: models[0].lable is not a known key. Did you mean label?"},
      {"[{path: /a, use: refrence}]",
       "/etc/a.yaml:2:26: models[0].use = refrence: write one of subject, reference, background"},
      {"[{glob: /a/**/b}]",
       "/etc/a.yaml:2:17: models[0].glob holds **, which is not read (a glob never descends)"},
      {"[{glob: /a/*, id: x}]",
       "/etc/a.yaml:2:27: models[0].id names one model, but this entry may name many. Remove it, or give a "
       "path"},
      {"[{path: /a, id: a/b}]",
       "/etc/a.yaml:2:25: models[0].id = a/b is not an id (an id begins with a letter or digit and has at "
       "most 128 "
       "letters, digits and ._+-)"},
      {"[[a]]",
       "/etc/a.yaml:2:10: models[0] is a list; it must be a path, or a mapping with path, hf, glob, sheet or "
       "adapter"},
  };
  for (const auto& [text, expected] : mistakes) {
    EXPECT_THAT(problems_of("schema_version: 1\nmodels: " + text + "\n"), ElementsAre(expected)) << text;
  }
}

TEST(RunConfig, RefusesNewerSchemas) {
  EXPECT_THAT(
      problems_of("schema_version: 2\nmodels: [/m]\n"),
      ElementsAre(
          "/etc/a.yaml:1:17: schema_version 2 is newer than this program knows (1). Update Stemma, or "
          "see CHANGELOG"));
  EXPECT_THAT(problems_of("schema_version: 0\nmodels: [/m]\n"),
              ElementsAre(HasSubstr("schema_version = 0 is below 1")));
}

TEST(RunConfig, ShowsAllMistakesAtOnceSortedByPlace) {
  const Reading reading(
      "schema_version: 1\nruntime: {strict: on, log_levl: x}\nseed: -1\nmodels:\n  - {path: /a, use: x}\n",
      {"compare.pairs=non", "seeds=3"});
  EXPECT_THAT(
      reading.problems,
      ElementsAre(HasSubstr("/etc/a.yaml:2:19: runtime.strict = on"),
                  HasSubstr("/etc/a.yaml:2:23: runtime.log_levl is not a known key. Did you mean log_level?"),
                  HasSubstr("/etc/a.yaml:3:7: seed = -1 is below 0"),
                  HasSubstr("/etc/a.yaml:5:21: models[0].use = x"),
                  HasSubstr("argument 1: compare.pairs = non"),
                  HasSubstr("argument 2: seeds is not a known key. Did you mean seed?")));
}

TEST(RunConfig, OverridesComeAfterEnvironmentAfterFile) {
  const std::map<std::string, std::string> environment = {{"STEMMA_LOG", "warn"},
                                                          {"STEMMA_ARCHITECTURES", "/a:/b c"}};
  const Reading from_environment(head + "runtime: {log_level: debug, strict: true}\narchitectures: [x]\n", {},
                                 environment);
  ASSERT_TRUE(from_environment.config);
  EXPECT_EQ(from_environment.config->runtime.log_level, LogLevel::warn);
  EXPECT_TRUE(from_environment.config->runtime.strict);
  EXPECT_THAT(from_environment.config->architectures, ElementsAre("/a", "/b c"));
  const std::map<std::string, std::string> place = {{"STEMMA_STORE", "~/s"}, {"HOME", "/people/u"}};
  EXPECT_EQ(Reading(head + "runtime: {store: x}\n", {}, place).config->runtime.store, "/people/u/s");
  EXPECT_EQ(Reading(head, {"runtime.store=y"}, place).config->runtime.store, "y");
  const Reading from_argument(head, {"runtime.log_level=debug", "models+=rel", "models[0]={path: /n, id: n}"},
                              environment);
  ASSERT_TRUE(from_argument.config);
  EXPECT_EQ(from_argument.config->runtime.log_level, LogLevel::debug);
  EXPECT_EQ(from_argument.config->models[0].id, "n");
  EXPECT_EQ(from_argument.config->models[0].place, "argument 3");
  // Written outside of the file, so relative to the working directory.
  EXPECT_EQ(from_argument.config->models[1].location, (std::filesystem::current_path() / "rel").string());
  EXPECT_THAT(Reading(head, {}, {{"STEMMA_LOG", "loud"}}).problems,
              ElementsAre("STEMMA_LOG: runtime.log_level = loud: write one of debug, info, warn"));
}

TEST(RunConfig, AnArgumentForOneOptionLeavesTheOthersOn) {
  const Reading one(head, {"analyzers.intrinsic_fingerprint.twin=false",
                           "compare.tests.intrinsic_fingerprint.min_layers=4"});
  ASSERT_TRUE(one.config);
  RunConfig expected = Reading(head).config.value();
  expected.analyzers["intrinsic_fingerprint"]["twin"] = 0;
  expected.compare.tests["intrinsic_fingerprint"]["min_layers"] = "4";
  EXPECT_EQ(one.config->analyzers, expected.analyzers);
  EXPECT_EQ(one.config->compare.tests, expected.compare.tests);
  EXPECT_TRUE(one.notes.empty());
  const Reading fewer(head, {"~analyzers.histogram"});
  ASSERT_TRUE(fewer.config);
  EXPECT_EQ(fewer.config->analyzers.size(), expected.analyzers.size() - 1);
  EXPECT_FALSE(fewer.config->analyzers.contains("histogram"));
  const Reading own(head + "analyzers: {content: {}}\n", {"analyzers.content.sha256=true"});
  ASSERT_TRUE(own.config);
  EXPECT_EQ(own.config->analyzers, (AnalyzerOptions{{"content", {{"sha256", 1}}}}));
}

TEST(RunConfig, AnArgumentThatSwitchesOthersOffSaysSo) {
  const Reading reading(head, {"analyzers={intrinsic_fingerprint: {twin: false}}"});
  ASSERT_TRUE(reading.config);
  EXPECT_THAT(reading.notes,
              ElementsAre("argument 1: analyzers names only intrinsic_fingerprint; the others do not run"));
}

TEST(RunConfig, RefusesPathsThatACommentHasShortened) {
  EXPECT_THAT(
      problems_of("schema_version: 1\nmodels:\n  - /nonexistent/a #3\n"),
      ElementsAre("/etc/a.yaml:3:5: /nonexistent/a does not exist, and what follows # in this line is a "
                  "comment. Quote the path if # belongs to it"));
}

TEST(RunConfig, NotesWhatOtherReadersChange) {
  const Reading reading("schema_version: 1\nmodels:\n  - {path: /m, revision: 1e5}\n");
  ASSERT_TRUE(reading.config);
  EXPECT_EQ(reading.config->models[0].revision, "1e5");
  EXPECT_THAT(
      reading.notes,
      ElementsAre(HasSubstr("/etc/a.yaml:3:26: models[0].revision = 1e5 is taken as this text. Quote it")));
}

TEST(RunConfig, IsOneRun) {
  EXPECT_THAT(problems_of(head + "sweep: {over: {seed: [1, 2]}}\n"),
              ElementsAre("/etc/a.yaml:3:16: a sweep is several runs, and one is wanted. Remove it"));
}

TEST(RunConfig, ExpandsHomeAndVariablesOnlyInPaths) {
  const Reading reading("schema_version: 1\ndescription: ${HOME} ~\nmodels: [~/m, \"${HOME}/x${N}\"]\n", {},
                        {{"HOME", "/people/u"}, {"N", "7"}});
  ASSERT_TRUE(reading.config) << testing::PrintToString(reading.problems);
  EXPECT_EQ(reading.config->description, "${HOME} ~");
  EXPECT_EQ(reading.config->models[0].location, "/people/u/m");
  EXPECT_EQ(reading.config->models[1].location, "/people/u/x7");
}

TEST(RunConfig, DirectoriesWithGlobCharactersAreTakenLiterally) {
  const Reading reading("schema_version: 1\nmodels: [{glob: \"*\"}]\n", {}, {}, "/data[1]/a*b/c.yaml");
  ASSERT_TRUE(reading.config);
  EXPECT_EQ(reading.config->models[0].location, "/data[[]1]/a[*]b/*");
}

TEST(RunConfig, AFileThatCannotNameARunNeedsAName) {
  EXPECT_THAT(Reading(head, {}, {}, "my config.yaml").problems,
              ElementsAre("my config.yaml: the file's name, my config, cannot name the run. Set name"));
  EXPECT_TRUE(Reading(head + "name: x\n", {}, {}, "my config.yaml").config);
}

TEST(RunConfig, AMissingFileIsAProblem) {
  std::vector<std::string> notes;
  try {
    (void)read_run_config("/nonexistent/a.yaml", {}, notes);
    FAIL() << "must throw";
  } catch (const ConfigProblems& error) {
    EXPECT_STREQ(error.what(), "/nonexistent/a.yaml: there is no such file: /nonexistent is missing");
  }
}

}  // namespace
}  // namespace stemma
