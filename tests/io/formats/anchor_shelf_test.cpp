// Does a model of a directory get the anchors of its tokenizer, and what when that is broken?
#include "io/formats/anchor_shelf.hpp"

#include <gtest/gtest.h>

#include "io/formats/open_checkpoint.hpp"
#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/gguf_fixture.hpp"

namespace stemma {
namespace {

using fixtures::TemporaryDirectory;

constexpr std::uint64_t rows = 300;

/// A tokenizer of 200 words; with a space in front where `other`.
std::string tokenizer(bool other = false) {
  std::string entries;
  for (int i = 0; i < 200; ++i)
    entries += fmt::format("{}\"{}{}{}{}\": {}", i ? "," : "", other ? "\u2581" : "", char('a' + i % 26),
                           char('a' + i / 26), 'x', i);
  return R"({"model": {"type": "BPE", "vocab": {)" + entries + "}}}";
}

class Shelf : public ::testing::Test {
 protected:
  Model model_with(const std::string& vocabulary) const {
    Model model;
    model.checkpoint.vocabulary = vocabulary;
    Matrix embedding;
    embedding.role = {.part = Part::embed};
    embedding.rows = rows;
    embedding.cols = 8;
    model.matrices.push_back(embedding);
    return model;
  }
  Model chosen(const std::string& vocabulary) {
    Model model = model_with(vocabulary);
    shelf_.choose(model);
    return model;
  }

  TemporaryDirectory directory_;
  AnchorShelf shelf_;
};

/// The same words in a GGUF file, as kinds 1 (ordinary) or, every tenth, 4 (added).
std::string gguf(bool with_added) {
  using fixtures::gguf_pair, fixtures::raw;
  std::string pieces = raw<std::uint32_t>(8) + raw<std::uint64_t>(200),
              kinds = raw<std::uint32_t>(5) + raw<std::uint64_t>(200);
  for (int i = 0; i < 200; ++i) {
    pieces += fixtures::gguf_string(fmt::format("{}{}x", char('a' + i % 26), char('a' + i / 26)));
    kinds += raw<std::int32_t>(with_added && i % 10 == 0 ? 4 : 1);
  }
  fixtures::GgufParts parts;
  parts.pairs = {fixtures::gguf_text("tokenizer.ggml.model", "llama"),
                 gguf_pair("tokenizer.ggml.tokens", 9, pieces),
                 gguf_pair("tokenizer.ggml.token_type", 9, kinds)};
  return parts.bytes();
}

TEST_F(Shelf, TokensOfAGgufFileAreThoseOfATokenizer) {
  directory_.write("one.json", tokenizer());
  directory_.write("one.gguf", gguf(false));
  directory_.write("added.gguf", gguf(true));
  const Model one = chosen(directory_.path("one.json")), same = chosen(directory_.path("one.gguf")),
              added = chosen(directory_.path("added.gguf"));
  EXPECT_TRUE(same.findings.empty());
  EXPECT_EQ(one.anchors.keys, same.anchors.keys);
  EXPECT_EQ(one.anchors.rows, same.anchors.rows);
  EXPECT_NE(one.anchors.keys, added.anchors.keys);
  for (std::size_t i = 0; i < added.anchors.by_string; ++i) EXPECT_NE(added.anchors.rows[i] % 10, 0U);
}

TEST_F(Shelf, AnchorsAreThoseOfTheTokenizerOfEachModel) {
  directory_.write("one.json", tokenizer());
  directory_.write("same.json", tokenizer());
  directory_.write("other.json", tokenizer(true));
  const Model one = chosen(directory_.path("one.json")), same = chosen(directory_.path("same.json")),
              other = chosen(directory_.path("other.json"));
  EXPECT_EQ(one.anchors.by_string, 128U);
  EXPECT_EQ(one.anchors.size(), most_anchors);
  EXPECT_EQ(one.anchors.keys, same.anchors.keys);
  EXPECT_EQ(one.anchors.rows, same.anchors.rows);
  EXPECT_NE(one.anchors.keys, other.anchors.keys);
  EXPECT_TRUE(one.findings.empty());
}

TEST_F(Shelf, TheSameTokenizerOfASmallerEmbeddingIsAnother) {
  directory_.write("tokenizer.json", tokenizer());
  const Model large = chosen(directory_.path("tokenizer.json"));
  Model small = model_with(directory_.path("tokenizer.json"));
  small.matrices.front().rows = 70;
  shelf_.choose(small);
  EXPECT_EQ(large.anchors.by_string, 128U);
  EXPECT_EQ(small.anchors.by_string, 70U);
}

TEST_F(Shelf, ABrokenTokenizerIsAFindingAndRowsAreUsed) {
  directory_.write("tokenizer.json", R"({"model": {"vocab": {"a": 1, "a": 2}}})");
  for (const std::string& path :
       {directory_.path("tokenizer.json"), directory_.path("absent/tokenizer.json")}) {
    const Model broken = chosen(path), without = chosen("");
    ASSERT_EQ(broken.findings.size(), 1U) << path;
    EXPECT_EQ(broken.findings.front().severity, Severity::warning);
    EXPECT_EQ(broken.anchors.by_string, 0U);
    EXPECT_EQ(broken.anchors.size(), 128U);
    EXPECT_EQ(broken.anchors.keys, without.anchors.keys);
    EXPECT_TRUE(without.findings.empty());
  }
  EXPECT_EQ(chosen(directory_.path("tokenizer.json")).findings.front().rule, "json.duplicate_key");
  EXPECT_EQ(chosen(directory_.path("tokenizer.json")).findings.front().file, "tokenizer.json");
}

TEST_F(Shelf, WithoutAnEmbeddingThereAreNone) {
  Model model;
  model.checkpoint.vocabulary = directory_.path("absent.json");
  shelf_.choose(model);
  EXPECT_EQ(model.anchors.size(), 0U);
  EXPECT_TRUE(model.findings.empty());
}

TEST_F(Shelf, ACheckpointKnowsItsTokenizer) {
  directory_.write("model.safetensors", fixtures::safetensors_of({{"a", "1234"}}));
  EXPECT_EQ(open_checkpoint(directory_.path()).vocabulary, "");
  directory_.write("tokenizer.json", tokenizer());
  EXPECT_EQ(open_checkpoint(directory_.path()).vocabulary, directory_.path("tokenizer.json"));
}

}  // namespace
}  // namespace stemma
