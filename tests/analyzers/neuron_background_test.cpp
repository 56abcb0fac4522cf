// Is the table of chance agreements read as it is written, and laid beside the right rows?
#include "analyzers/neuron_background.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace stemma {
namespace {

constexpr const char* table =
    "# words\nplace\tset\tmodels\tpairs\tshares\n"
    "0.0000\tall\t3\t3\t0:2 0.25:1\n"
    "1.0000\tall\t3\t3\t0.125:3\n"
    "median\tall\t3\t3\t0:1 0.0625:1 0.125:1\n"
    "median\tdisjoint\t3\t1\t0.125:1\n";

TEST(NeuronBackground, ReadsCounts) {
  const Background background = neuron_background_in(table);
  ASSERT_EQ(background.strata.size(), 3U);
  const Background::Stratum& first = background.strata.at("0.0000");
  ASSERT_EQ(first.scores.size(), 3U);
  EXPECT_EQ(first.scores[1].value, 0);
  EXPECT_EQ(first.scores[2].value, 0.25);
  EXPECT_EQ(first.population, "3 pairs of 3 separately trained small models at the same place");
  EXPECT_EQ(background.strata.at("median").scores.size(), 3U);  // the disjoint pair is one of them
  EXPECT_NEAR(rank_of(background, "median", 0.1).percentile, 100.0 * 2 / 3, 1e-12);
}

TEST(NeuronBackground, RefusesWhatIsNoTable) {
  for (const char* text : {"place\tset\n", "place\tset\tmodels\tpairs\tscores\n",
                           "place\tset\tmodels\tpairs\tshares\n0.5\tall\t3\t3\t0.1\n",
                           "place\tset\tmodels\tpairs\tshares\n0.5\tall\t3\t3\t0.1:x\n",
                           "place\tset\tmodels\tpairs\tshares\nmiddle\tall\t3\t3\t0.1:1\n"})
    EXPECT_THROW(neuron_background_in(text), std::invalid_argument) << text;
}

TEST(NeuronBackground, TheTableOfTheProgramHasPlacesFromFirstToLast) {
  const Background& background = neuron_background();
  EXPECT_TRUE(background.strata.contains("median"));
  EXPECT_TRUE(background.strata.contains("0.0000"));
  EXPECT_TRUE(background.strata.contains("1.0000"));
  for (const auto& [name, stratum] : background.strata) EXPECT_GE(stratum.scores.size(), 300U) << name;
}

/// Two models of five layers: MLPs of layers 0, 4 and 1, of which the last stands elsewhere in b, and an
/// expert.
TEST(NeuronBackground, RanksTheHeadlineAndMlpsOfOnePlace) {
  Fingerprint model;
  model.layers = 5;
  model.neurons.emplace();
  for (const int layer : {0, 1, 4}) {
    NeuronBlock& block = model.neurons->blocks.emplace_back();
    block.layer = layer;
  }
  NeuronBlock& expert = model.neurons->blocks.emplace_back();
  expert.layer = 4;
  expert.expert = 1;
  const std::vector<Fingerprint> models = {model, model};
  NeuronAgreement found;
  for (const auto& [a, b] : {std::pair(0U, 0U), std::pair(2U, 2U), std::pair(1U, 2U), std::pair(3U, 3U)}) {
    BlockAgreement& block = found.blocks.emplace_back();
    block.a = a;
    block.b = b;
  }
  Pair pair;
  pair.a = 0;
  pair.b = 1;
  for (const char* role :
       {"", "places", "attention", "layers/0", "layers/4", "layers/1 and layers/4", "layers/4/experts/1"}) {
    Evidence& row = pair.evidence.emplace_back();
    row.method = "neuron_match";
    row.role = role;
    row.score = 0.5;
  }
  rank_in_neuron_background(found, models, pair);
  for (const Evidence& row : pair.evidence) {
    const bool ranked = row.role.empty() || row.role == "layers/0" || row.role == "layers/4";
    EXPECT_EQ(row.background_n > 0, ranked) << row.role;
    EXPECT_EQ(std::isnan(row.background_percentile), !ranked) << row.role;
    if (!ranked) continue;
    EXPECT_EQ(row.background_percentile, 100) << row.role;  // no strangers share half of their neurons
    EXPECT_EQ(row.detail_json, "{\"percentile_basis\":\"counted\"}");
    EXPECT_EQ(row.grade, Grade::N);
  }
}

}  // namespace
}  // namespace stemma
