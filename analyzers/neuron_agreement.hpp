// In how many neurons do two models agree, and how likely is that between independent ones?
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analyzers/block_map.hpp"
#include "analyzers/matched_neurons.hpp"
#include "analyzers/thresholds.hpp"
#include "io/archive/neuron_sketch.hpp"

namespace stemma {

/// Two MLPs, held against each other by what archives keep of them.
struct BlockAgreement : NeuronCounts {
  std::uint32_t a = 0, b = 0;  ///< blocks of each sketch
  double likeness = missing;   ///< mean correlation of the first answers of agreeing neurons
  /// As of NeuronTests, of this pair alone, after the choice of its partner.
  double log_p_places = 0, log_p_robust = 0, log_p_nominal = 0;

  /// Of agreeing neurons; 0 of an MLP without living ones.
  double share() const { return kept == 0 ? 0 : NeuronCounts::share(); }
};

/// What two sketches say about each other, and the tests of that.
struct NeuronAgreement : NeuronTests {
  std::string abstain;      ///< "" or why nothing was compared: no_anchor, unsupported
  std::size_t anchors = 0;  ///< tokens in common
  bool by_row = false;      ///< tokens joined by their numbers
  bool mapped = false;      ///< partners were searched: models of other structure, or better than in place
  std::size_t blocks_a = 0, blocks_b = 0;  ///< of each model
  std::vector<BlockAgreement> blocks;      ///< pairs of partners, by block of the model with more of them

  std::size_t partners = 0;  ///< blocks.size(), also where blocks were dropped
  /// Blocks of the model with fewer of them: those that were held against any of the other, and those that
  /// agree with a partner in the asked share of their neurons.
  std::size_t compared_blocks = 0, agreeing_blocks = 0;
  bool telling = false;        ///< both models have blocks and tokens enough for the test to find something
  double share = missing;      ///< median over partners of the share of agreeing neurons
  double control = missing;    ///< mean share of agreeing neurons of unlike blocks
  double attention = missing;  ///< median over layers of partners: correlation of readings
  double likeness = missing;   ///< median over partners of their likeness
  /// Blocks that are each other beyond chance, also those that no block was searched for, and what that says
  /// about the order of the models.
  BlockMap map;
  /// What training wrote beside what the start left: attention over likeness.
  double kinship() const { return attention / likeness; }
};

/// Matches the neurons of every pair of blocks that could be partners: of equal structure, block by block;
/// otherwise, and where some block finds nothing so, every block of the model with more of them with its best
/// partner (PartnerSearch). Symmetric in both models. `share` of its neurons makes a block one that agrees;
/// the search for partners does not depend on it.
NeuronAgreement compare_neurons(const NeuronSketch& a, const NeuronSketch& b,
                                double share = thresholds::agreeing_neurons);

}  // namespace stemma
