// Is every fault of a table found, at its place, and every valid table understood?
#include "io/model/architecture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "io/config/problems.hpp"
#include "tests/io/model/made_checkpoint.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

/// A directory of tables that lives as long as the test.
class Tables {
 public:
  Tables() {
    std::string pattern = (fs::temp_directory_path() / "stemma-tables-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Tables() { fs::remove_all(directory_); }
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  Tables& write(const std::string& file, const std::string& text) {
    std::ofstream(directory_ / file) << text;
    return *this;
  }
  const fs::path& directory() const { return directory_; }
  ArchitectureTables load() const { return ArchitectureTables::load({directory_}); }

 private:
  fs::path directory_;
};

std::vector<Problem> problems_of(const std::vector<fs::path>& directories) {
  try {
    ArchitectureTables::load(directories);
  } catch (const ConfigProblems& problems) {
    return problems.problems();
  }
  return {};
}

// Line numbers in the tests below count from `schema`, which is line 1.
constexpr const char* head = R"(schema: stemma.architecture/1
family: tiny
match: {model_type: [tiny], needs: ["e.weight"]}
dims:
  hidden: {keys: [hidden_size]}
  vocab: {keys: [vocab_size]}
)";
constexpr const char* tensors = R"(tensors:
  - {name: e.weight, role: embed, shape: [vocab, hidden]}
)";

/// The table with `text` appended, loaded as tiny.yaml.
std::vector<Problem> problems_with(const std::string& text,
                                   const std::string& before = std::string(head) + tensors) {
  Tables tables;
  tables.write("tiny.yaml", before + text);
  return problems_of({tables.directory()});
}

void expect_problem(const std::string& text, int line, int column, const std::string& words,
                    const std::string& before = std::string(head) + tensors) {
  const auto problems = problems_with(text, before);
  for (const Problem& problem : problems) {
    if (problem.line == line && problem.column == column && problem.message.find(words) != std::string::npos)
      return;
  }
  std::string found;
  for (const Problem& problem : problems) found += sentence(problem) + "\n";
  ADD_FAILURE() << "expected " << line << ":" << column << " " << words << " in\n"
                << text << "found:\n"
                << found;
}

TEST(ArchitectureTables, ShippedFamiliesLoad) {
  EXPECT_THAT(test::shipped().families(),
              testing::IsSupersetOf({"gpt2", "gpt_neox", "llama", "mixtral", "phi3", "qwen2", "qwen3"}));
  const auto families = test::shipped().families();
  EXPECT_TRUE(std::is_sorted(families.begin(), families.end()));
}

TEST(ArchitectureTables, ShippedDirectoryIsFound) {
  ::unsetenv("STEMMA_SHARE");
  EXPECT_TRUE(fs::exists(shipped_architectures() / "llama.yaml"));
  ::setenv("STEMMA_SHARE", "/somewhere", 1);
  EXPECT_EQ(shipped_architectures(), fs::path("/somewhere/architectures"));
  ::unsetenv("STEMMA_SHARE");
}

TEST(ArchitectureTables, ASmallTableIsEnough) {
  EXPECT_TRUE(problems_with("").empty());
  Tables tables;
  tables.write("tiny.yaml", std::string(head) + tensors);
  tables.write("readme.txt", "not a table").write(".hidden.yaml", "{");
  test::MadeCheckpoint made(R"({"model_type": "tiny"})");
  const Model model = tables.load().canonicalise(made.add("e.weight", {5, 4}).take());
  EXPECT_EQ(model.family, "tiny");
  EXPECT_NE(model.find({.part = Part::embed}), nullptr);
}

TEST(ArchitectureTables, EveryKeyIsKnownOrNamed) {
  expect_problem("prefxes: [a.]\n", 9, 1, "prefixes");
  expect_problem("norm: {kind: rms, ofset: 1}\n", 9, 19, "offset");
  expect_problem("  - {name: a, role: attn.q, shape: [hidden], lyers: some}\n", 9, 46, "layers");
  expect_problem("rope: halv\n", 9, 7, "half");
  expect_problem("norm: {kind: root}\n", 9, 14, "rms");
  expect_problem("norm: {kind: rms, offset: 2}\n", 9, 27, "offset");
  expect_problem("rope: half\nrope: none\n", 10, 1, "");
  expect_problem("title: &a x\n", 9, 8, "");
  expect_problem("title: *a\n", 9, 8, "");
}

TEST(ArchitectureTables, TheHeadIsChecked) {
  expect_problem(
      "", 1, 9, "stemma.architecture/1",
      "schema: stemma.architecture/2\nfamily: tiny\nmatch: {needs: [e.weight]}\n" + std::string(tensors));
  expect_problem(
      "", 2, 9, "tiny.yaml",
      "schema: stemma.architecture/1\nfamily: other\nmatch: {needs: [e.weight]}\n" + std::string(tensors));
  expect_problem("", 2, 9, "identifier",
                 "schema: stemma.architecture/1\nfamily: Tiny\nmatch: {needs: [e]}\n");
  expect_problem("", 3, 8, "needs",
                 "schema: stemma.architecture/1\nfamily: tiny\nmatch: {model_type: [x]}\n");
  expect_problem("", 3, 16, "empty", "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: []}\n");
  expect_problem("", 3, 25, "twice",
                 "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: [e.x, a, e.x]}\n");
  expect_problem("", 3, 17, "*", "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: [\"*\"]}\n");
  expect_problem("", 1, 1, "family is missing",
                 "schema: stemma.architecture/1\nmatch: {needs: [e.weight]}\n");
  expect_problem("", 2, 1, "embed",
                 std::string(head) + "tensors:\n  - {name: e.weight, role: lm_head, shape: [1]}\n");
  expect_problem("prefixes: [\"a[\"]\n", 9, 11, "prefixes");
}

TEST(ArchitectureTables, EntriesAreChecked) {
  expect_problem("  - {name: a, role: attn.p, shape: [hidden]}\n", 9, 21, "Did you mean");
  expect_problem("  - {name: a, role: buffer, shape: [hidden]}\n", 9, 21, "ignore");
  expect_problem("  - {name: a, role: unknown, shape: [hidden]}\n", 9, 21, "not a role");
  expect_problem("  - {name: a, shape: [hidden]}\n", 9, 5, "role or split");
  expect_problem("  - {role: attn.q, shape: [hidden]}\n", 9, 5, "name or names");
  expect_problem("  - {name: a, names: [b], role: attn.q, shape: [hidden]}\n", 9, 5, "name or names");
  expect_problem("  - {name: a, role: attn.q}\n", 9, 5, "shape is missing");
  expect_problem("  - {name: \"a{head}\", role: attn.q, shape: [1]}\n", 9, 12, "{layer} and {expert}");
  expect_problem("  - {name: \"a*\", role: attn.q, shape: [1]}\n", 9, 12, "ignore");
  expect_problem("  - {name: a, role: attn.q, shape: [hiden]}\n", 9, 5, "Did you mean hidden");
  expect_problem("  - {name: a, role: attn.q, shape: [2 +]}\n", 9, 37, "ends where");
  expect_problem("  - {name: a, role: attn.q, shape: [hidden], layout: in_out}\n", 9, 36, "axes");
  expect_problem("  - {name: \"a.{expert}\", role: attn.q, shape: [1, 1, 1], layout: e_out_in}\n", 9, 66,
                 "stack");
  expect_problem("  - {name: a.w, role: attn.q, shape: [1], bias: required}\n", 9, 49, ".weight");
  expect_problem("  - {name: a, role: attn.q, shape: [1], variant: fused}\n", 9, 5, "variants");
  expect_problem("  - {name: a, role: attn.q, shape: [1], when: x}\n", 9, 47, "map");
  expect_problem("  - {name: a, role: attn.q, shape: [1], tied_to: lm_head}\n", 9, 50, "embed");
  expect_problem("  - {names: [a, \"a.{layer}\"], role: attn.q, shape: [1]}\n", 9, 13, "same numbers");
}

TEST(ArchitectureTables, SplitsAreChecked) {
  const std::string begin = "  - {name: a, shape: [9], split: ";
  expect_problem(begin + "{}}\n", 9, 34, "concat or view");
  expect_problem(begin + "{concat: []}}\n", 9, 43, "empty");
  expect_problem(begin + "{concat: [{role: attn.q}]}}\n", 9, 44, "size is missing");
  expect_problem(begin + "{concat: [{role: attn.q, size: 1}, {role: attn.q, size: 1}]}}\n", 9, 69, "twice");
  expect_problem(begin + "{view: [3, 3], axis: 2, parts: [{role: attn.q, from: 0, to: 3}]}}\n", 9, 55,
                 "factors");
  expect_problem(begin + "{view: [3, 3], parts: [{role: attn.q, from: 0, to: 3}]}}\n", 9, 34,
                 "axis is missing");
  expect_problem(begin + "{concat: [{role: attn.q, size: widht}]}}\n", 9, 5, "widht");
}

TEST(ArchitectureTables, NamesAndRolesAreUnique) {
  expect_problem("  - {name: e.weight, role: attn.q, shape: [1]}\n", 9, 5, "fits two entries");
  expect_problem("  - {name: f.weight, role: embed, shape: [1]}\n", 9, 5, "the role embed has two entries");
  expect_problem(
      "  - {name: \"h.{layer}.w\", role: attn.q, shape: [1]}\n  - {name: \"[m.]h.{layer}.w\", role: attn.k, "
      "shape: [1]}\n",
      10, 5, "fits two entries");
  expect_problem(
      "  - {name: \"h.{layer}.w\", role: attn.q, shape: [1]}\n  - {name: h.7.w, role: attn.k, shape: [1]}\n",
      10, 5, "fits two entries");
  expect_problem(
      "  - {name: a.weight, role: attn.q, shape: [1], bias: optional}\n  - {name: a.bias, role: attn.k, "
      "shape: [1]}\n",
      10, 5, "a.bias");
  expect_problem("ignore: [\"e.*\"]\n", 8, 5, "ignored");
  EXPECT_TRUE(problems_with("  - {name: a, role: attn.q, shape: [1], when: {new: true}}\n"
                            "  - {name: a, role: attn.q, shape: [2], when: {new: [false, null]}}\n")
                  .empty());
  EXPECT_TRUE(problems_with("  - {name: a, role: attn.q, shape: [1], variant: x}\n"
                            "  - {name: b, role: attn.q, shape: [2], variant: y}\nvariants: [x, y]\n")
                  .empty());
}

TEST(ArchitectureTables, DimensionsAreChecked) {
  const std::string before =
      "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: [e.weight]}\ndims:\n";
  const std::string after = "tensors: [{name: e.weight, role: embed, shape: [1]}]\n";
  expect_problem(after, 5, 3, "computed from itself",
                 before + "  a: {default: b + 1}\n  b: {default: 2 * a}\n");
  expect_problem(after, 5, 3, "no source", before + "  a: {}\n");
  expect_problem(after, 5, 3, "c is not a dimension", before + "  a: {default: c}\n");
  expect_problem(after, 5, 6, "not a name", before + "  A: {default: 1}\n");
  expect_problem(after, 5, 14, "axis is missing", before + "  a: {shape: {of: e.weight}}\n");
}

TEST(ArchitectureTables, WhatFewFamiliesNeedIsCheckedToo) {
  const std::string before =
      "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: [e.weight]}\ndims:\n";
  const std::string after = "tensors: [{name: e.weight, role: embed, shape: [1]}]\n";
  expect_problem(after, 5, 15, "value is missing", before + "  a: {cases: [{when: {x: 1}}]}\n");
  expect_problem(after, 5, 3, "c is not a dimension", before + "  a: {cases: [{when: {x: 1}, value: c}]}\n");
  expect_problem(after, 5, 3, "computed from itself",
                 before + "  a: {cases: [{when: {x: 1}, value: a + 1}]}\n");
  expect_problem(after, 5, 34, "with {layer}", before + "  a: {keys: [hidden], per_layer: true}\n");
  expect_problem("  - {name: a, role: attn.q, shape: [1, 1], flat: true}\n", 9, 50, "stacks");
  const std::string match = "schema: stemma.architecture/1\nfamily: tiny\nmatch:\n  needs: [e.weight]\n";
  expect_problem(after, 5, 10, "equal or unequal", match + "  rows: [{of: e.weight}]\n");
  expect_problem(after, 5, 10, "equal or unequal",
                 match + "  rows: [{of: e.weight, equal: a, unequal: b}]\n");
}

TEST(ArchitectureTables, SizeIsBounded) {
  const auto expect_refused = [](const std::string& table, const std::string& words) {
    const auto problems = problems_with("", table);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].line, 2);
    EXPECT_THAT(problems[0].message, HasSubstr(words));
  };
  const std::string before = "schema: stemma.architecture/1\nfamily: tiny\nmatch: {needs: [e.weight]}\n";
  std::string chain = "dims:\n  d0: {default: 1}\n";  // each dimension needs the one before
  for (int i = 1; i < 20'000; ++i) chain += fmt::format("  d{}: {{default: d{}}}\n", i, i - 1);
  expect_refused(before + chain + tensors, "20000 dimensions");
  std::string names = before + "prefixes: [p., q.]\n" + tensors;
  for (int i = 0; i < 2'000; ++i)
    names += fmt::format("  - {{name: \"[a.][b.][c.][d.]t{}\", role: other}}\n", i);
  expect_refused(names, "96006 ways to spell names");
}

TEST(ArchitectureTables, AllFaultsOfAllFilesComeAtOnce) {
  Tables tables;
  tables.write("tiny.yaml", std::string(head) + "rope: x\nnorm: {kind: y}\n" + tensors);
  tables.write("other.yaml", "family: other\n").write("worse.yaml", "a: [\n");
  const auto problems = problems_of({tables.directory(), tables.directory() / "absent"});
  EXPECT_GE(problems.size(), 6U);
  std::set<std::string> files;
  for (const Problem& problem : problems) files.insert(fs::path(problem.file).filename().string());
  EXPECT_EQ(files, (std::set<std::string>{"tiny.yaml", "other.yaml", "worse.yaml", "absent"}));
}

constexpr const char* base_table = R"(schema: stemma.architecture/1
family: base
match: {needs: ["e.weight"]}
dims: {hidden: {keys: [h]}}
norm: {kind: layer, offset: 1}
tensors:
  - {name: e.weight, role: embed, shape: [9, hidden]}
  - {name: "l.{layer}.q.weight", role: attn.q, shape: [hidden, hidden]}
  - {name: "l.{layer}.k.weight", role: attn.k, shape: [hidden, hidden]}
  - {name: "l.{layer}.n.weight", role: norm.pre_attn, shape: [hidden]}
)";

std::string child(const std::string& family, const std::string& text) {
  return "schema: stemma.architecture/1\nfamily: " + family + "\nmatch: {needs: [\"l.{layer}.x.weight\"]}\n" +
         text;
}

TEST(ArchitectureTables, ExtendsTakesOverReplacesAndDrops) {
  Tables tables;
  tables.write("base.yaml", base_table);
  tables.write("child.yaml", child("child",
                                   "extends: base\ndrop: [attn.k]\ntensors:\n"
                                   "  - {name: \"l.{layer}.x.weight\", role: attn.q, shape: [hidden]}\n"));
  test::MadeCheckpoint made(R"({"h": 4})");
  made.add("e.weight", {9, 4}).add("l.0.x.weight", {4}).add("l.0.n.weight", {4}).add("l.0.q.weight", {1});
  const Model model = tables.load().canonicalise(made.take(), "child");
  EXPECT_EQ(test::paths(model), (std::vector<std::string>{"embed", "layers/0/attn.q",
                                                          "layers/0/norm.pre_attn", "unknown/l.0.q.weight"}));
  EXPECT_EQ(model.norm, NormKind::layer);
  EXPECT_EQ(model.matrices[2].gain_offset, 1);
  EXPECT_EQ(model.matrices[0].gain_offset, 0);
}

TEST(ArchitectureTables, ExtendsIsChecked) {
  const auto expect = [](const std::string& text, int line, int column, const std::string& words) {
    Tables tables;
    tables.write("base.yaml", base_table).write("child.yaml", child("child", "extends: base\n"));
    tables.write("grand.yaml", child("grand", text));
    const auto problems = problems_of({tables.directory()});
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_EQ(problems[0].line, line);
    EXPECT_EQ(problems[0].column, column);
    EXPECT_THAT(problems[0].message, HasSubstr(words));
  };
  expect("extends: child\n", 4, 1, "one level");
  expect("extends: bass\n", 4, 1, "Did you mean base");
  expect("extends: base\ndrop: [attn.v]\n", 5, 8, "base has no attn.v");
  expect("drop: [attn.v]\ntensors: [{name: a, role: embed, shape: [1]}]\n", 4, 7, "extends no other");
}

TEST(ArchitectureTables, UserDirectoriesReplaceOnlyWhatTheyName) {
  Tables shipped;
  shipped.write("base.yaml", base_table).write("child.yaml", child("child", "extends: base\n"));
  Tables user;
  user.write("base.yaml", base_table);
  auto problems = problems_of({shipped.directory(), user.directory()});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].line, 2);
  EXPECT_THAT(problems[0].message, HasSubstr("replaces: base"));

  user.write("base.yaml", std::string(base_table) + "replaces: bade\n");
  problems = problems_of({shipped.directory(), user.directory()});
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems.back().message, HasSubstr("Did you mean base"));

  std::string replacement = std::string(base_table) + "replaces: base\nrope: none\n";
  user.write("base.yaml", replacement);
  test::MadeCheckpoint made(R"({"h": 4})");
  made.add("e.weight", {9, 4});
  const auto tables = ArchitectureTables::load({shipped.directory(), user.directory()});
  EXPECT_EQ(tables.families(), (std::vector<std::string>{"base", "child"}));
  EXPECT_EQ(tables.canonicalise(made.take(), "base").rope, Rope::none);
  EXPECT_EQ(tables.canonicalise(made.take(), "child").rope, Rope::none);  // extends the replacement

  user.write("base.yaml",
             "schema: stemma.architecture/1\nfamily: base\nreplaces: base\nextends: base\n"
             "match: {needs: [\"e.weight\"]}\nrope: mixed\n");
  fs::remove(shipped.directory() / "child.yaml");
  const auto patched = ArchitectureTables::load({shipped.directory(), user.directory()});
  EXPECT_EQ(patched.families(), (std::vector<std::string>{"base"}));
  EXPECT_EQ(patched.canonicalise(made.take(), "base").rope, Rope::mixed);
}

TEST(ArchitectureTables, FamiliesThatExplainEquallyMuchAreATie) {
  Tables tables;
  tables.write("base.yaml", base_table);
  std::string twin = base_table;
  twin.replace(twin.find("family: base"), 12, "family: twin");
  tables.write("twin.yaml", twin);
  test::MadeCheckpoint made(R"({"h": 4})");
  made.add("e.weight", {9, 4})
      .add("l.0.q.weight", {4, 4})
      .add("l.0.k.weight", {4, 4})
      .add("l.0.n.weight", {4});
  const Model model = tables.load().canonicalise(made.take());
  EXPECT_EQ(model.family, "");
  ASSERT_EQ(test::rules(model), (std::vector<std::string>{"ambiguous_architecture"}));
  EXPECT_EQ(model.findings[0].severity, Severity::error);
  EXPECT_EQ(model.findings[0].found, "base, twin");
  EXPECT_EQ(tables.load().canonicalise(made.take(), "twin").family, "twin");
}

TEST(ArchitectureTables, EveryWayToStoreATensorIsUnderstood) {
  Tables tables;
  tables.write("odd.yaml", R"(schema: stemma.architecture/1
family: odd
match: {needs: ["e.weight"]}
prefixes: [text.]
dims: {hidden: {keys: [size.h]}, inter: {keys: [i]}, experts: {keys: [n]}, width: {default: 3}}
norm: {kind: rms, offset: 1}
tensors:
  - {name: e.weight, role: embed, shape: [9, hidden]}
  - name: "l.{layer}.experts.gate_up"
    layout: e_in_out
    layers: some
    shape: [experts, 2 * inter, hidden]
    split: {view: [inter, 2], axis: 1, parts: [{role: moe.expert.gate, from: 0, to: 1}, {role: moe.expert.up, from: 1, to: 2}]}
  - {name: "l.{layer}.conv.weight", role: ssm.conv, shape: [hidden, 1, width], kind: conv, stack: audio, bias: optional}
  - {names: ["l.{layer}.n.weight", "l.{layer}.norm.weight"], role: norm.pre_attn, shape: [hidden], offset: 0}
  - {name: "l.{layer}.n2.weight", role: norm.pre_mlp, shape: [hidden], bias: required}
  - {name: "l.{layer}.qk.weight", shape: [2 * hidden, hidden], when: {order: [qk, null]},
     split: {concat: [{role: attn.q, size: hidden}, {role: attn.k, size: hidden}]}}
  - {name: "l.{layer}.qk.weight", shape: [2 * hidden, hidden], when: {order: kq},
     split: {concat: [{role: attn.k, size: hidden}, {role: attn.q, size: hidden}]}}
)");
  const auto loaded = tables.load();
  test::MadeCheckpoint made;
  made.add("text.e.weight", {9, 4})
      .add("text.l.0.experts.gate_up", {2, 4, 6})
      .add("text.l.0.conv.weight", {4, 1, 3});
  for (const std::string layer : {"text.l.0.", "text.l.1."}) {
    made.add(layer + "n2.weight", {4}).add(layer + "n2.bias", {4}).add(layer + "qk.weight", {8, 4});
  }
  made.add("text.l.0.n.weight", {4}).add("text.l.1.norm.weight", {4}).add("text.l.0.conv.bias", {4});
  const auto model_of = [&](const std::string& order) {
    return loaded.canonicalise(made.config(R"({"size": {"h": 4}, "i": 3, "n": 2)" + order + "}").take(),
                               "odd");
  };
  const Model model = model_of("");
  EXPECT_TRUE(model.findings.empty()) << sentence(model.findings.front());
  const Matrix* up = model.find({.layer = 0, .part = Part::moe_expert_up, .expert = 1});
  ASSERT_NE(up, nullptr);
  EXPECT_EQ(up->steps, "expert 1 of 2; transpose; split moe.expert.up 1:2 of every 2 of 6");
  EXPECT_EQ(up->rows, 3U);
  EXPECT_EQ(test::stored_at(*up, 2, 3), 1U * 24 + 3 * 6 + 2 * 2 + 1);
  const Matrix* conv = model.find({.stack = Stack::audio, .layer = 0, .part = Part::ssm_conv});
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->cols, 3U);
  EXPECT_TRUE(conv->as_stored());
  EXPECT_EQ(model.find({.layer = 0, .part = Part::norm_pre_attn})->gain_offset, 0);
  EXPECT_EQ(model.find({.layer = 1, .part = Part::norm_pre_mlp})->gain_offset, 1);
  EXPECT_EQ(model.find({.layer = 1, .part = Part::norm_pre_mlp, .kind = Kind::bias})->gain_offset, 0);
  const Role q{.layer = 1, .part = Part::attn_q};
  EXPECT_EQ(model.find(q)->slice.offset, 0U);
  EXPECT_EQ(model_of(R"(, "order": "qk")").find(q)->slice.offset, 0U);
  EXPECT_EQ(model_of(R"(, "order": "kq")").find(q)->slice.offset, 4U);
  EXPECT_EQ(model_of(R"(, "order": "other")").find(q), nullptr);
}

}  // namespace
}  // namespace stemma
