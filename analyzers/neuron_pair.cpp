// Two rows for the whole models, places of neurons and agreement of two matchings, then one for each pair of
// blocks. p-values are of the null hypothesis that the models were initialised independently.
#include "analyzers/neuron_pair.hpp"

#include <fmt/format.h>

#include "analyzers/json_text.hpp"
#include "analyzers/map_words.hpp"
#include "analyzers/neuron_agreement.hpp"
#include "analyzers/neuron_evidence.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {
namespace {

constexpr const char* pair_method = "neuron_match";

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
  std::string_view name() const override { return pair_method; }
  std::vector<std::string_view> needs() const override { return {pair_method}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    return neuron_evidence(compare_neurons_of(a, b), a, b);
  }
};

}  // namespace

NeuronAgreement compare_neurons_of(const Fingerprint& a, const Fingerprint& b, double share) {
  if (a.neurons && b.neurons) return compare_neurons(*a.neurons, *b.neurons, share);
  NeuronAgreement nothing;
  nothing.abstain = "unsupported";
  return nothing;
}

std::vector<Evidence> neuron_evidence(const NeuronAgreement& found, const Fingerprint& a,
                                      const Fingerprint& b) {
  Evidence row = independence_row(pair_method, "median share of agreeing neurons", "");
  row.abstain = found.abstain;
  if (!found.abstain.empty()) {
    row.detail_json = JsonObject().add("anchors", found.anchors).text();
    return {row};
  }
  row.score = found.share;
  row.control = found.control;
  row.log10_p = as_log10(found.log_p_robust);
  row.grade = Grade::M;
  row.detail_json = JsonObject()
                        .add("anchors", found.anchors)
                        .add("anchors_by", found.by_row ? "row" : "bytes")
                        .add("blocks", found.partners)
                        .add("agreeing_blocks", found.agreeing_blocks)
                        .add("blocks_a", found.blocks_a)
                        .add("blocks_b", found.blocks_b)
                        .add("partners", found.mapped ? "searched" : "given")
                        .add("map", exact_words(found.map.matches))
                        .add("only_a", exact_words(found.map.only_a))
                        .add("only_b", exact_words(found.map.only_b))
                        .add("log10_p_nominal", as_log10(found.log_p_nominal))
                        .add("control", "neurons of unlike layers")
                        .text();
  std::vector<Evidence> rows = {row};
  rows.push_back(places_row(pair_method, found));
  if (found.partners == 0) rows.back().abstain.clear();  // nobody was sorted
  Evidence attention = independence_row(pair_method, "attention over likeness of neurons", "attention");
  attention.null = "none valid";
  attention.score = found.kinship();
  attention.detail_json = JsonObject()
                              .add("attention", found.attention)
                              .add("likeness", found.likeness)
                              .add("descent_from", thresholds::kinship_of_descent)
                              .add("shared_start_up_to", thresholds::kinship_of_shared_start)
                              .add("calibrated_on", "small models")
                              .text();
  rows.push_back(std::move(attention));
  for (const BlockAgreement& block : found.blocks) {
    rows.push_back(independence_row(pair_method, "share of agreeing neurons",
                                    place_of(a.neurons->blocks[block.a], b.neurons->blocks[block.b])));
    rows.back().score = block.share();
    rows.back().log10_p = as_log10(block.log_p_robust);
    rows.back().grade = Grade::M;
    rows.back().detail_json = as_details(block).add("log10_p_places", as_log10(block.log_p_places)).text();
  }
  return rows;
}

const PairTest& neuron_pair_test() {
  static const NeuronPair test;
  return test;
}

}  // namespace stemma
