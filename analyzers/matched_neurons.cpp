// Sums over MLPs; each kind of matching brings its own counts.
#include "analyzers/matched_neurons.hpp"

#include <algorithm>
#include <utility>

#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/numerics/mutual_best.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

NeuronCounts counts_of(std::span<const std::int32_t> by_first, std::span<const std::int32_t> by_second,
                       std::span<const std::int32_t> by_both, std::uint64_t others) {
  const Agreement agreed = agreement(by_first, by_second);
  NeuronCounts out{.kept = std::min<std::uint64_t>(by_both.size(), others),
                   .units = std::max<std::uint64_t>(by_both.size(), others),
                   .matched = agreed.both,
                   .agreeing = agreed.same};
  for (std::size_t i = 0; i < by_both.size(); ++i) {
    out.labelled += by_both[i] != unmatched;
    out.fixed += by_both[i] == static_cast<std::int32_t>(i);
  }
  return out;
}

std::map<std::string, std::uint64_t> as_features(const NeuronCounts& counts) {
  return {{"kept", counts.kept},         {"units", counts.units},       {"matched", counts.matched},
          {"agreeing", counts.agreeing}, {"labelled", counts.labelled}, {"fixed", counts.fixed},
          {"sorted", counts.sorted}};
}

NeuronCounts counts_in(const Features& features) {
  const auto count = [&](const char* name) { return features.counts.at(name); };
  return {.kept = count("kept"),
          .units = count("units"),
          .matched = count("matched"),
          .agreeing = count("agreeing"),
          .labelled = count("labelled"),
          .fixed = count("fixed"),
          .sorted = count("sorted") != 0};
}

void NeuronTally::add(const NeuronCounts& counts) {
  ++mlps_;
  agreeing_ += counts.agreeing;
  beyond_ += agreements_beyond(counts.agreeing, counts.kept, thresholds::universal_neurons);
  if (counts.sorted || counts.units == 0) return;
  ++placed_;
  fixed_ += counts.fixed;
  labelled_ += counts.labelled;
  expected_ += static_cast<double>(counts.labelled) / static_cast<double>(counts.units);
}

NeuronTests NeuronTally::tests() const {
  return {.fixed = fixed_,
          .labelled = labelled_,
          .sorted = placed_ == 0,
          .log_p_places = log_sum_bound_of_mean(fixed_, expected_),
          .log_p_robust = log_sum_bound(beyond_, mlps_),
          .log_p_nominal = log_sum_bound(agreeing_, mlps_)};
}

NeuronTests tests_of(const NeuronCounts& counts) {
  NeuronTally alone;
  alone.add(counts);
  return alone.tests();
}

Evidence independence_row(std::string method, std::string statistic, std::string role) {
  Evidence row;
  row.method = std::move(method);
  row.statistic = std::move(statistic);
  row.null = "independent random initialisations";
  row.role = std::move(role);
  return row;
}

Evidence places_row(std::string method, const NeuronTests& tests) {
  Evidence row = independence_row(std::move(method), "neurons that match at the same place", "places");
  row.score = static_cast<double>(tests.fixed);
  row.log10_p = as_log10(tests.log_p_places);
  row.grade = Grade::G;
  if (tests.sorted) row.abstain = "sorted_neurons";
  row.detail_json = JsonObject().add("matched", tests.labelled).text();
  return row;
}

JsonObject as_details(const NeuronCounts& counts) {
  JsonObject details;
  details.add("agreeing", counts.agreeing)
      .add("matched", counts.matched)
      .add("kept", counts.kept)
      .add("fixed", counts.fixed)
      .add("labelled", counts.labelled)
      .add("units", counts.units);
  return details;
}

}  // namespace stemma
