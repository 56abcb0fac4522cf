// Layers vote about circuits; weights that were read one by one tell in which roles the update lies.
#include "analyzers/origin_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/json_text.hpp"
#include "analyzers/origin_rank.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr const char* names_of_kinds[] = {"operator", "tensor", "row_space", "control"};

double number(const Features& features, const char* name) {
  const auto found = features.numbers.find(name);
  return found == features.numbers.end() ? missing : found->second;
}

OriginReading origin_reading_of(const Subject& subject, const std::optional<Features>& features) {
  OriginReading out;
  out.subject = subject.path;
  out.reading = names_of_kinds[static_cast<std::size_t>(subject.parameters.at("reading"))];
  if (subject.path.starts_with("layers/")) out.layer = std::atoi(subject.path.c_str() + 7);
  out.problem = problem_of(features);
  if (out.problem.empty()) {
    out.label = name_of(static_cast<OriginLabel>(features->counts.at("label")));
    out.rank = features->counts.at("rank");
    out.limit = features->counts.at("limit");
    out.significant = features->counts.at("significant");
    out.ratio = number(*features, "ratio");
    out.first = number(*features, "first");
    out.behind = number(*features, "behind");
    out.noise_edge = number(*features, "noise_edge");
    out.delta = number(*features, "delta");
    out.update = number(*features, "update");
    out.cosine = number(*features, "cosine");
    out.values = features->reals.at("values");
  }
  return out;
}

std::optional<OriginLabel> label_of(const OriginReading& reading) {
  for (int i = 0; i < origin_labels; ++i)
    if (reading.label == name_of(static_cast<OriginLabel>(i))) return static_cast<OriginLabel>(i);
  return std::nullopt;
}

/// The role without its layer: "attn.q" of "layers/3/attn.q".
std::string role_of(const std::string& subject) {
  const std::size_t slash = subject.find('/', 7);
  return slash == std::string::npos ? subject : subject.substr(slash + 1);
}

void vote(OriginTrace& trace, int layers) {
  std::vector<OriginLayer> votes;
  int read = 0;
  for (const OriginReading& r : trace.readings) {
    if (r.reading != "operator") continue;
    ++read;
    if (const auto label = label_of(r)) votes.push_back({*label, r.rank});
  }
  for (int i = read; i < layers; ++i) votes.push_back({OriginLabel::identical, 0});  // known to be equal
  trace.layers = votes.size();
  if (votes.empty()) return;
  const OriginModel model = origin_model(votes);
  trace.label = name_of(model.label);
  trace.agreeing = model.agreeing;
  trace.ranks = model.ranks;
  if (!model.ranks.empty()) trace.median = model.median;
  trace.minimum = model.minimum;
  trace.mode = model.mode;
}

void count_weights(OriginTrace& trace) {
  for (const OriginReading& r : trace.readings) {
    if (r.reading != "tensor" || r.label.empty()) continue;
    const auto label = label_of(r);
    if (label == OriginLabel::identical) {
      ++trace.unchanged;
      continue;
    }
    ++trace.changed;
    trace.coarse += label == OriginLabel::coarse;
    trace.lost += label == OriginLabel::dead_zone;
    if (label == OriginLabel::coarse) trace.coarse_update = std::max(trace.coarse_update, r.update);
    if (label != OriginLabel::low_rank) continue;
    ++trace.low_rank;
    trace.by_role[role_of(r.subject)].push_back(r.rank);
  }
}

bool mostly_low_rank(const OriginTrace& trace) {
  return trace.low_rank > 0 && 2 * trace.low_rank >= trace.changed;
}

/// Why the readings of this pair say nothing, when nothing stood in their way; "" where they do.
std::string abstention(const OriginTrace& trace) {
  if (trace.layers == 0) return "unsupported";
  const OriginReading* control = trace.control();
  if (control != nullptr &&
      (control->label == name_of(OriginLabel::low_rank) || control->label == name_of(OriginLabel::identical)))
    return "control_failed";
  if (mostly_low_rank(trace)) return "";
  if (trace.coarse > 0 && 2 * trace.coarse >= trace.changed) return "unreadable_quantisation";
  if (trace.lost > 0 && 2 * trace.lost >= trace.changed) return "dead_zone";
  // Strangers have no map between their embeddings either; a vocabulary of another size would have none
  // anyway.
  const bool strangers = trace.label == name_of(OriginLabel::unrelated_here) && trace.same_vocabulary;
  if (trace.stream == name_of(StreamChange::unaligned) && !strangers) return "unaligned";
  if (trace.label == name_of(OriginLabel::dead_zone)) return "dead_zone";
  if (trace.label == name_of(OriginLabel::mixed)) return "mixed";
  return "";
}

std::string json_list(const std::vector<std::uint64_t>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

Evidence origin_row(std::string statistic) {
  Evidence out;
  out.method = "origin_tracer";
  out.statistic = std::move(statistic);
  out.null = "rounding of the stored weights";
  return out;
}

}  // namespace

OriginTrace origin_trace(const ModelPair& pair, const FoundAlignment& alignment,
                         const FeatureSource& features, const std::map<std::string, double>& options) {
  OriginTrace out;
  const OriginObstacle obstacle = origin_obstacle(pair);
  out.obstacle = obstacle.sentence;
  out.equal_by_hash = pair.equal.size();
  out.stream = name_of(alignment.alignment.change);
  out.stream_scale = alignment.alignment.scale;
  out.stream_agreeing = alignment.alignment.agreeing;
  out.stream_residual = alignment.alignment.residual;
  out.tokens = alignment.tokens;
  const auto embeddings = pair.find({.part = Part::embed});
  out.same_vocabulary =
      embeddings && pair.base_matrix(*embeddings).rows == pair.candidate_matrix(*embeddings).rows;
  for (const Subject& subject : origin_tracer_analyzer().subjects(pair, options))
    out.readings.push_back(origin_reading_of(subject, features("origin_tracer", subject.path)));
  std::ranges::stable_sort(out.readings, {}, &OriginReading::layer);
  if (out.obstacle.empty()) vote(out, pair.base->layers());
  count_weights(out);
  out.abstain = obstacle.reason.empty() ? abstention(out) : obstacle.reason;
  return out;
}

std::string low_rank_words(const OriginTrace& trace) {
  if (mostly_low_rank(trace)) {
    std::map<std::uint64_t, std::vector<std::string>> roles;  // by rank
    for (const auto& [role, ranks] : trace.by_role) roles[summary_of(ranks).mode].push_back(role);
    std::vector<std::string> parts;
    for (const auto& [rank, names] : roles)
      parts.push_back(fmt::format("rank {} in {}", rank, fmt::join(names, ", ")));
    return "an update of " + fmt::format("{}", fmt::join(parts, "; of "));
  }
  if (trace.label == name_of(OriginLabel::low_rank))
    return fmt::format(
        "an update of rank {:.0f} in the circuits of attention (the sum of the ranks in attn.v and attn.o)",
        trace.median);
  return "";
}

std::vector<Evidence> origin_evidence(const OriginTrace& trace) {
  Evidence all = origin_row("median rank of the difference of attention circuits");
  all.abstain = trace.abstain;
  all.score = trace.median;
  JsonObject detail;
  detail.add("base", trace.base).add("candidate", trace.candidate);
  if (!trace.obstacle.empty()) detail.add("not_applicable", trace.obstacle);
  detail.add("label", trace.label)
      .add("layers", trace.layers)
      .add("agreeing", trace.agreeing)
      .add("ranks", json_list(trace.ranks))
      .add("minimum", trace.minimum)
      .add("mode", trace.mode)
      .add("stream", trace.stream)
      .add("stream_scale", trace.stream_scale)
      .add("stream_residual", trace.stream_residual)
      .add("tokens", trace.tokens)
      .add("weights_equal_by_hash", trace.equal_by_hash)
      .add("weights_unchanged", trace.unchanged)
      .add("weights_changed", trace.changed)
      .add("weights_low_rank", trace.low_rank);
  for (const auto& [role, ranks] : trace.by_role) detail.add("ranks_" + role, json_list(ranks));
  if (const OriginReading* control = trace.control()) {
    all.control = static_cast<double>(control->rank);
    detail.add("control_label", control->label)
        .add("control_ratio", control->ratio)
        .add("control_delta", control->delta);
  }
  all.detail_json = detail.text();
  std::vector<Evidence> rows = {all};
  for (const OriginReading& r : trace.readings) {
    Evidence one = origin_row(r.reading == "tensor"      ? "rank of the difference of one weight"
                              : r.reading == "row_space" ? "rank of the rows outside the base's row space"
                              : r.reading == "control"   ? "rank of the difference of unlike layers"
                                                         : "rank of the difference of one attention circuit");
    one.role = r.subject;
    if (!r.label.empty()) one.score = static_cast<double>(r.rank);
    if (r.label.empty()) one.abstain = "unsupported";
    JsonObject numbers;
    numbers.add("label", r.label)
        .add("ratio", r.ratio)
        .add("largest", r.first)
        .add("behind", r.behind)
        .add("noise_edge", r.noise_edge)
        .add("above_noise", r.significant)
        .add("rank_limit", r.limit)
        .add("delta", r.delta)
        .add("update", r.update)
        .add("cosine", r.cosine);
    if (!r.problem.empty()) numbers.add("problem", r.problem);
    one.detail_json = numbers.text();
    rows.push_back(std::move(one));
  }
  return rows;
}

}  // namespace stemma
