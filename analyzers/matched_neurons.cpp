// Sums over MLPs; each kind of matching brings its own counts.
#include "analyzers/matched_neurons.hpp"

#include <utility>

#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/numerics/log_probability.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

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
