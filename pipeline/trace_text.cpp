// Every score stands beside its null, its control and the layer that it comes from.
#include "pipeline/trace_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <tuple>

#include "analyzers/numerics/log_probability.hpp"
#include "io/report/columns.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const OriginReading& r) {
  return {{"subject", r.subject},
          {"reading", r.reading},
          {"layer", r.layer},
          {"label", r.label},
          {"rank", r.rank},
          {"rank_limit", r.limit},
          {"ratio", json_number(r.ratio)},
          {"largest", json_number(r.first)},
          {"behind", json_number(r.behind)},
          {"noise_edge", json_number(r.noise_edge)},
          {"above_noise", r.significant},
          {"delta", json_number(r.delta)},
          {"update", json_number(r.update)},
          {"cosine", json_number(r.cosine)},
          {"singular_values", r.values},
          {"problem", r.problem}};
}

Json json_of(const FunctionReading& r) {
  return {{"subject", r.subject},
          {"agrees", r.agrees},
          {"largest", json_number(r.first)},
          {"noise_edge", json_number(r.noise_edge)},
          {"delta", json_number(r.delta)},
          {"blur", json_number(r.blur)},
          {"problem", r.problem}};
}

Json json_of(const SameFunction& found) {
  if (!found.asked()) return nullptr;
  Json readings = Json::array();
  for (const FunctionReading& r : found.readings) readings.push_back(json_of(r));
  return {{"not_applicable", found.obstacle},
          {"agreeing", found.agreeing},
          {"null", "rounding of the stored weights"},
          {"readings", readings},
          {"control", found.control.subject.empty() ? Json(nullptr) : json_of(found.control)}};
}

Json json_of(const NeuronLayer& layer) {
  Json weights = Json::object();
  for (const SharedWeight& w : layer.weights)
    weights[w.part] = {{"cosine", json_number(w.whole)},
                       {"spikes", json_number(w.spikes)},
                       {"bulk", json_number(w.bulk)},
                       {"shuffled_spikes", json_number(w.shuffled_spikes)},
                       {"shuffled_bulk", json_number(w.shuffled_bulk)},
                       {"spikes_of_base", w.spikes_of_base},
                       {"spikes_of_candidate", w.spikes_of_candidate}};
  return {{"subject", layer.subject},   {"kept", layer.kept},
          {"units", layer.units},       {"matched", layer.matched},
          {"agreeing", layer.agreeing}, {"labelled", layer.labelled},
          {"fixed", layer.fixed},       {"sorted", layer.sorted},
          {"weights", weights},         {"assigned", layer.assigned ? Json(*layer.assigned) : Json(nullptr)},
          {"problem", layer.problem}};
}

Json json_of(const AlignedNeurons& found) {
  if (!found.asked()) return nullptr;
  const auto log10_p = [](double log_p) { return json_number(as_log10(log_p)); };
  Json layers = Json::array();
  for (const NeuronLayer& layer : found.layers) layers.push_back(json_of(layer));
  return {{"not_applicable", found.obstacle},
          {"null", "independent random initialisations"},
          {"coordinates", found.coordinates},
          {"pairs_asked_together", found.pairs},
          {"layers_read", found.read},
          {"agreeing_layers", found.agreeing_layers},
          {"share", json_number(found.share)},
          {"fixed", found.fixed},
          {"labelled", found.labelled},
          {"sorted", found.sorted},
          {"log10_p_places", log10_p(found.log_p_places)},
          {"log10_p_robust", log10_p(found.log_p_robust)},
          {"log10_p_nominal", log10_p(found.log_p_nominal)},
          {"cosine", json_number(found.whole)},
          {"spikes", json_number(found.spikes)},
          {"bulk", json_number(found.bulk)},
          {"kappa", json_number(found.kappa())},
          {"kappa_of_shuffled", json_number(found.shuffled_kappa())},
          {"kappa_calibration", "small models only"},
          {"layers", layers},
          {"control", found.control.subject.empty() ? Json(nullptr) : json_of(found.control)}};
}

Json json_of(const HeadLayer& layer) {
  return {{"subject", layer.subject},
          {"groups", layer.kept},
          {"units", layer.units},
          {"matched", layer.matched},
          {"agreeing", layer.agreeing},
          {"labelled", layer.labelled},
          {"fixed", layer.fixed},
          {"sorted", layer.sorted},
          {"heads", layer.heads},
          {"agreeing_heads", layer.agreeing_heads},
          {"query_key", json_number(layer.query_key)},
          {"value_output", json_number(layer.value_output)},
          {"problem", layer.problem}};
}

Json json_of(const AlignedHeads& found) {
  if (!found.asked()) return nullptr;
  Json layers = Json::array();
  for (const HeadLayer& layer : found.layers) layers.push_back(json_of(layer));
  return {{"null", "independent random initialisations"},
          {"layers_read", found.read},
          {"share", json_number(found.share)},
          {"log10_p_places", json_number(as_log10(found.log_p_places))},
          {"log10_p_robust", json_number(as_log10(found.log_p_robust))},
          {"log10_p_nominal", json_number(as_log10(found.log_p_nominal))},
          {"layers", layers},
          {"control", found.control.subject.empty() ? Json(nullptr) : json_of(found.control)}};
}

Json json_of(const Pair& pair, const PairTrace& trace) {
  const OriginTrace& o = trace.origin;
  const Reencoding& c = trace.content;
  Json readings = Json::array();
  for (const OriginReading& r : o.readings) readings.push_back(json_of(r));
  return {{"base", o.base},
          {"candidate", o.candidate},
          {"relation", name_of(pair.relation)},
          {"abstain_reason", pair.reason},
          {"sentence", pair.sentence},
          {"direction", pair.direction},
          {"content",
           {{"weights", c.weights},
            {"equal", c.equal},
            {"rounded", c.rounded},
            {"quantised", c.quantised},
            {"only_in_one", c.alone},
            {"failed", c.failed},
            {"coarser", c.coarser}}},
          {"origin_tracer",
           {{"not_applicable", o.obstacle},
            {"abstains", o.abstain},
            {"label", o.label},
            {"layers", o.layers},
            {"agreeing", o.agreeing},
            {"ranks", o.ranks},
            {"median", json_number(o.median)},
            {"minimum", o.minimum},
            {"mode", o.mode},
            {"stream", o.stream},
            {"stream_scale", json_number(o.stream_scale)},
            {"stream_residual", json_number(o.stream_residual)},
            {"tokens", o.tokens},
            {"weights_equal_by_hash", o.equal_by_hash},
            {"weights_unchanged", o.unchanged},
            {"weights_changed", o.changed},
            {"weights_low_rank", o.low_rank},
            {"ranks_by_role", o.by_role},
            {"null", "rounding of the stored weights"},
            {"readings", readings}}},
          {"same_function", json_of(trace.function)},
          {"aligned_neurons", json_of(trace.neurons)},
          {"aligned_heads", json_of(trace.heads)}};
}

std::string function_summary(const SameFunction& found) {
  if (!found.asked()) return "";
  if (found.readings.empty())
    return fmt::format("  same_function: not applicable, because {}\n", printable(found.obstacle));
  std::vector<std::vector<std::string>> rows{
      {"answers of", "agree", "largest difference", "rounding null", "delta"}};
  std::vector<FunctionReading> readings = found.readings;
  if (!found.control.subject.empty()) readings.push_back(found.control);
  for (const FunctionReading& r : readings)
    rows.push_back({r.subject, r.problem.empty() ? (r.agrees ? "yes" : "no") : printable(r.problem, 80),
                    three_digits(r.first), three_digits(r.noise_edge), three_digits(r.delta)});
  return fmt::format("  same_function: {} of {} parts answer tokens alike within twice the rounding null\n",
                     found.agreeing, found.readings.size()) +
         aligned(rows);
}

std::string neurons_summary(const AlignedNeurons& found) {
  if (!found.asked()) return "";
  if (found.read == 0)
    return fmt::format("  neurons: not applicable{}\n",
                       found.obstacle.empty() ? "" : ", because " + printable(found.obstacle));
  std::vector<std::vector<std::string>> rows{{"neurons of", "agree", "at the same place", "gate spikes",
                                              "bulk", "up spikes", "bulk", "down spikes", "bulk"}};
  std::vector<NeuronLayer> layers = found.layers;
  if (!found.control.subject.empty()) layers.push_back(found.control);
  for (const NeuronLayer& layer : layers) {
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(layer.subject);
    if (layer.problem.empty()) {
      row.push_back(fmt::format("{} of {}", layer.agreeing, layer.kept));
      row.push_back(layer.sorted ? "sorted" : fmt::format("{} of {}", layer.fixed, layer.labelled));
      if (layer.weights.size() == 2) row.insert(row.end(), {"-", "-"});
      for (const SharedWeight& weight : layer.weights)
        row.insert(row.end(), {three_digits(weight.spikes), three_digits(weight.bulk)});
    } else {
      row.push_back(printable(layer.problem, 80));
    }
    row.resize(rows.front().size(), "-");
  }
  return fmt::format(
             "  neurons: log10 p of independent initialisation {:.1f} by their places (grade G), {:.1f} by "
             "two "
             "matchings (grade M)\n  kappa {}: cosine of the spikes {} over that of the bulk {}; of neurons "
             "paired "
             "at random {} (calibrated on small models only)\n",
             as_log10(found.log_p_places), as_log10(found.log_p_robust), three_digits(found.kappa()),
             three_digits(found.spikes), three_digits(found.bulk), three_digits(found.shuffled_kappa())) +
         aligned(rows);
}

/// One line: layers have few heads, so they only support what neurons say.
std::string heads_summary(const AlignedHeads& found) {
  if (found.read == 0) return "";
  std::uint64_t groups = 0, agreeing = 0, heads = 0, agreeing_heads = 0;
  for (const HeadLayer& layer : found.layers) {
    groups += layer.kept;
    agreeing += layer.agreeing;
    heads += layer.heads;
    agreeing_heads += layer.agreeing_heads;
  }
  return fmt::format(
      "  heads: {} of {} groups agree in how they choose and how they answer, and {} of {} heads in them; "
      "log10 p "
      "{:.1f} by their places (grade G), {:.1f} by two matchings (grade M); unlike layers: {} of {} groups\n",
      agreeing, groups, agreeing_heads, heads, as_log10(found.log_p_places), as_log10(found.log_p_robust),
      found.control.agreeing, found.control.kept);
}

}  // namespace

std::string trace_summary(const Pair& pair, const PairTrace& trace) {
  const OriginTrace& o = trace.origin;
  std::string text = fmt::format("{} and {}: {}\n  {}\n", printable(o.base), printable(o.candidate),
                                 relation_words(pair), printable(pair.sentence, 2000));
  text += fmt::format("  content: {} of {} weights equal, {} equal after rounding, {} in one model only\n",
                      trace.content.equal, trace.content.weights, trace.content.rounded, trace.content.alone);
  if (!o.obstacle.empty())
    return text + fmt::format("  origin_tracer: not applicable, because {}\n", printable(o.obstacle)) +
           neurons_summary(trace.neurons) + heads_summary(trace.heads);
  text += fmt::format("  residual stream: {}{}\n", o.stream,
                      o.tokens > 0 ? fmt::format(", from {} rows of the embeddings (residual {})", o.tokens,
                                                 three_digits(o.stream_residual))
                                   : "");
  text += fmt::format("  circuits: {} in {} of {} layers", o.label, o.agreeing, o.layers);
  if (!o.ranks.empty())
    text += fmt::format("; rank: median {:g}, minimum {}, mode {}", o.median, o.minimum, o.mode);
  text += fmt::format("\n  weights: {} changed, {} of them by low rank; {} unchanged\n", o.changed,
                      o.low_rank, o.unchanged + o.equal_by_hash);
  std::vector<std::vector<std::string>> rows{{"where", "label", "rank", "ratio", "largest", "behind",
                                              "rounding null", "above it", "delta", "cosine"}};
  for (const OriginReading& r : o.readings) {
    if (r.label.empty()) {
      rows.push_back({r.subject, printable(r.problem, 80)});
      rows.back().resize(rows.front().size(), "-");
      continue;
    }
    rows.push_back({r.subject, r.label, fmt::format("{}", r.rank), three_digits(r.ratio),
                    three_digits(r.first), three_digits(r.behind), three_digits(r.noise_edge),
                    fmt::format("{}", r.significant), three_digits(r.delta), three_digits(r.cosine)});
  }
  text += aligned(rows);
  text += function_summary(trace.function);
  text += neurons_summary(trace.neurons) + heads_summary(trace.heads);
  text +=
      "  The null of a rank is the rounding of the stored weights; \"control\" reads unlike layers of the "
      "two "
      "models.\n  A difference is symmetric: a rank says nothing about who came first.\n";
  return text;
}

std::string traces_table(std::span<const Pair> pairs, std::span<const PairTrace> traces,
                         std::span<const UnreadPair> unread) {
  Tsv table({"base", "candidate", "relation", "abstain_reason", "direction", "circuits", "rank", "weights",
             "weights_equal", "weights_changed", "weights_low_rank", "control", "sentence"});
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [pair, trace] = std::tie(pairs[i], traces[i]);
    const OriginTrace& o = trace.origin;
    const OriginReading* control = o.control();
    table.row(o.base, o.candidate, name_of(pair.relation), pair.reason,
              pair.direction > 0   ? "base_to_candidate"
              : pair.direction < 0 ? "candidate_to_base"
                                   : "unknown",
              o.label, o.median, trace.content.weights, trace.content.equal, o.changed, o.low_rank,
              control == nullptr ? std::string() : control->label, pair.sentence);
  }
  for (const UnreadPair& pair : unread)
    table.row(pair.base, pair.candidate, name_of(Relation::abstain), pair.rule, "unknown", "", missing, "",
              "", "", "", "", pair.sentence);
  return table.text();
}

std::string trace_json(std::span<const Pair> pairs, const TraceResult& result,
                       std::span<const UnreadPair> unread) {
  Json list = Json::array();
  for (std::size_t i = 0; i < pairs.size(); ++i) list.push_back(json_of(pairs[i], result.pairs[i]));
  Json document{{"schema", "stemma.trace/1"},
                {"stemma", version_text},
                {"weight_bytes", result.weight_bytes},
                {"bytes_read", result.bytes_read},
                {"seconds", result.seconds},
                {"failures", result.failures.size()},
                {"pairs", list}};
  for (const UnreadPair& pair : unread)
    document["unread"].push_back({{"base", pair.base},
                                  {"candidate", pair.candidate},
                                  {"rule", pair.rule},
                                  {"sentence", pair.sentence}});
  return json_text(document);
}

std::string cost_words(const TraceResult& result) {
  const double ratio = result.weight_bytes > 0
                           ? static_cast<double>(result.bytes_read) / static_cast<double>(result.weight_bytes)
                           : 1;
  return fmt::format("{} read in {}, {:.2f} times the weights",
                     bytes_words(static_cast<double>(result.bytes_read)), duration_words(result.seconds),
                     ratio);
}

}  // namespace stemma
