// Are the right pairs read again, in the right order, and every tensor of a joined pair once?
#include "pipeline/candidates.hpp"

#include <gtest/gtest.h>

#include "analyzers/catalogue.hpp"
#include "pipeline/joined_pair.hpp"
#include "tests/pipeline/fake_models.hpp"
#include "tests/pipeline/llama_models.hpp"

namespace stemma {
namespace {

/// Four tensors of 1,000 bytes; `content` tells whose bytes they are.
Fingerprint model_with(const std::string& id, const std::vector<std::uint64_t>& content) {
  Fingerprint model;
  model.id = id;
  model.layers = 1;
  constexpr std::array roles = {"layers/0/attn.q", "layers/0/attn.k", "layers/0/attn.v", "layers/0/attn.o"};
  for (std::size_t i = 0; i < content.size(); ++i)
    model.tensors.push_back({.role = roles[i],
                             .content = {content[i], 1},
                             .histogram = {content[i], 2},
                             .dtype = static_cast<std::uint8_t>(Dtype::bf16),
                             .rows = 50,
                             .cols = 10,
                             .bytes = 1000,
                             .distinct = 400,
                             .known = true});
  order_marks(model);
  return model;
}

struct Corpus {
  std::vector<SurveyedModel> models;
  std::vector<Fingerprint> fingerprints;

  Corpus() {
    add(model_with("a", {1, 2, 3, 4}));
    add(model_with("b", {1, 2, 30, 40}));   // half of a
    add(model_with("c", {1, 21, 31, 41}));  // a quarter of a and b
    add(model_with("d", {5, 6, 7, 8}));     // a stranger that declares b
    add(model_with("e", {9, 10, 11, 12}));  // a stranger
    add(model_with("f", {9, 10, 11, 12}));  // its copy
    fingerprints[3].declared = {{.base = "b"}};
  }
  void add(Fingerprint fingerprint) {
    models.push_back(test::fake_model(fingerprint.id, 1, 8));
    fingerprints.push_back(std::move(fingerprint));
  }
  std::string chosen(const TracePlan& plan) const {
    const Comparison comparison(fingerprints, {.tests = {{"content", {}}, {"histogram", {}}}});
    std::string text;
    for (const TracePair& pair : choose_pairs(models, fingerprints, comparison, plan).pairs)
      text += fingerprints[pair.base].id + fingerprints[pair.candidate].id + " ";
    return text;
  }
};

TEST(Candidates, DeclaredPairsFirstThenByWhatIsShared) {
  EXPECT_EQ(Corpus().chosen({}), "bd ab ac bc ") << "base first; copies and strangers are left out";
  EXPECT_EQ(Corpus().chosen({.which = TracePlan::Which::declared}), "bd ");
  EXPECT_EQ(Corpus().chosen({.which = TracePlan::Which::listed, .listed = {{"e", "a"}}}), "ae ");
  EXPECT_EQ(Corpus().chosen({.max_pairs = 2}), "bd ab ");
}

TEST(Candidates, AModelThatCouldNotBeReadHasNoPairs) {
  Corpus corpus;
  corpus.models[1].model.reset();
  EXPECT_EQ(corpus.chosen({}), "ac ");
}

TEST(Candidates, BackgroundModelsAreNotReadAgain) {
  Corpus corpus;
  for (const std::size_t m : {0, 1, 2}) corpus.fingerprints[m].use = Use::background;
  EXPECT_EQ(corpus.chosen({}), "bd ") << "one subject is enough";
}

TEST(Candidates, EqualWeightsAreKnownByTheirHashes) {
  const Corpus corpus;
  const Comparison comparison(corpus.fingerprints, {.tests = {{"content", {}}, {"histogram", {}}}});
  const ChosenPairs chosen = choose_pairs(corpus.models, corpus.fingerprints, comparison, {.max_pairs = 2});
  EXPECT_EQ(chosen.left_out, 2U);
  EXPECT_EQ(chosen.pairs[1].equal, (std::set<std::string>{"layers/0/attn.q", "layers/0/attn.k"}));
}

/// Bytes of a plan for the pair of two models of one shape.
std::uint64_t bytes_of(const SurveyedModel& joined) {
  const std::vector<Question> questions = {{pair_analyzer_named("origin_tracer"), {}},
                                           {pair_analyzer_named("reencoding"), {}}};
  const Inventory inventory = take_inventory(std::span(&joined, 1), questions);
  std::uint64_t bytes = 0;
  std::set<std::uint32_t> seen;
  for (const Item& item : inventory.items)
    for (const std::uint32_t tensor : item.tensors) {
      EXPECT_TRUE(seen.insert(tensor).second) << joined.model->checkpoint.tensors[tensor].name;
      bytes += joined.model->checkpoint.tensors[tensor].bytes;
    }
  return bytes;
}

TEST(JoinedPair, EveryTensorOfBothModelsIsReadOnceAndEqualOnesNever) {
  SurveyedModel base = test::llama_model("a", test::llama_tiny),
                other = test::llama_model("b", test::llama_tiny);
  const SurveyedModel joined = join(base, other, {});
  EXPECT_EQ(joined.request.id, "a and b");
  EXPECT_EQ(bytes_of(joined), 2 * base.model->bytes());
  std::set<std::string> equal;
  std::uint64_t spared = 0;
  for (const Matrix& matrix : base.model->matrices) {
    if (matrix.role.part != Part::mlp_up && matrix.role.part != Part::embed) continue;
    equal.insert(path_of(matrix.role));
    spared += base.model->checkpoint.tensors[matrix.tensor].bytes;
  }
  EXPECT_EQ(bytes_of(join(base, other, equal)), 2 * (base.model->bytes() - spared));
}

}  // namespace
}  // namespace stemma
