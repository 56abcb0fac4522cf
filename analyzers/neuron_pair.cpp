// Two rows for the whole models, places of neurons and agreement of two matchings, then one for each pair of
// blocks. p-values are of the null hypothesis that the models were initialised independently.
#include "analyzers/neuron_pair.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "analyzers/json_text.hpp"
#include "analyzers/neuron_agreement.hpp"
#include "analyzers/neuron_evidence.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

constexpr std::string_view null_words = "independent random initialisations";

double log10_of(double log_p) { return log_p / std::numbers::ln10; }

std::string block_name(const NeuronBlock& block) {
  return block.expert < 0 ? fmt::format("layers/{}", block.layer)
                          : fmt::format("layers/{}/experts/{}", block.layer, block.expert);
}

/// "layers/3" where both stand there, else "layers/3 and layers/1".
std::string place_of(const NeuronBlock& a, const NeuronBlock& b) {
  const std::string one = block_name(a), other = block_name(b);
  return one == other ? one : one + " and " + other;
}

class NeuronPair : public PairTest {
 public:
  std::string_view name() const override { return "neuron_match"; }
  std::vector<std::string_view> needs() const override { return {"neuron_match"}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    return neuron_evidence(compare_neurons_of(a, b), a, b);
  }
};

}  // namespace

NeuronAgreement compare_neurons_of(const Fingerprint& a, const Fingerprint& b) {
  if (a.neurons && b.neurons) return compare_neurons(*a.neurons, *b.neurons);
  NeuronAgreement nothing;
  nothing.abstain = "unsupported";
  return nothing;
}

std::vector<Evidence> neuron_evidence(const NeuronAgreement& found, const Fingerprint& a,
                                      const Fingerprint& b) {
  Evidence row;
  row.method = "neuron_match";
  row.statistic = "median share of agreeing neurons";
  row.null = null_words;
  row.abstain = found.abstain;
  if (!found.abstain.empty()) {
    row.detail_json = JsonObject().add("anchors", found.anchors).text();
    return {row};
  }
  row.score = found.share;
  row.control = found.control;
  row.log10_p = log10_of(found.log_p_robust);
  row.grade = Grade::M;
  row.detail_json = JsonObject()
                        .add("anchors", found.anchors)
                        .add("anchors_by", found.by_row ? "row" : "bytes")
                        .add("blocks", found.partners)
                        .add("agreeing_blocks", found.agreeing_blocks)
                        .add("blocks_a", found.blocks_a)
                        .add("blocks_b", found.blocks_b)
                        .add("partners", found.mapped ? "searched" : "given")
                        .add("log10_p_nominal", log10_of(found.log_p_nominal))
                        .add("control", "neurons of unlike layers")
                        .text();
  std::vector<Evidence> rows = {row};
  Evidence places = row;
  places.statistic = "neurons that match at the same place";
  places.role = "places";
  places.score = static_cast<double>(found.fixed);
  places.control = missing;
  places.log10_p = log10_of(found.log_p_places);
  places.grade = Grade::G;
  if (found.sorted && found.partners > 0) places.abstain = "sorted_neurons";
  places.detail_json = JsonObject().add("matched", found.labelled).text();
  rows.push_back(std::move(places));
  Evidence attention = row;
  attention.statistic = "attention over likeness of neurons";
  attention.null = "none valid";
  attention.role = "attention";
  attention.score = found.kinship();
  attention.control = attention.log10_p = missing;
  attention.grade = Grade::N;
  attention.detail_json = JsonObject()
                              .add("attention", found.attention)
                              .add("likeness", found.likeness)
                              .add("descent_from", thresholds::kinship_of_descent)
                              .add("shared_start_up_to", thresholds::kinship_of_shared_start)
                              .add("calibrated_on", "small models")
                              .text();
  rows.push_back(std::move(attention));
  for (const BlockAgreement& block : found.blocks) {
    Evidence one = row;
    one.statistic = "share of agreeing neurons";
    one.role = place_of(a.neurons->blocks[block.a], b.neurons->blocks[block.b]);
    one.score = block.share();
    one.control = one.log10_p = missing;
    one.grade = Grade::N;
    one.detail_json = JsonObject()
                          .add("agreeing", block.agreeing)
                          .add("matched", block.matched)
                          .add("kept", block.kept)
                          .add("fixed", block.fixed)
                          .add("labelled", block.labelled)
                          .add("units", block.units)
                          .text();
    rows.push_back(std::move(one));
  }
  return rows;
}

const PairTest& neuron_pair_test() {
  static const NeuronPair test;
  return test;
}

}  // namespace stemma
