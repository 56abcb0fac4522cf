// How are the tables that concern more than one model filled?
#include "io/archive/pair_rows.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace stemma {
namespace {

void put_model(TableWriter& table, std::string_view column, std::optional<std::uint32_t> model) {
  if (model)
    table.put(column, *model);
  else
    table.put_missing(column);
}

void write_evidence(TableWriter& table, std::uint64_t pair, const Evidence& e) {
  table.put("evidence/pair_index", pair);
  table.put("evidence/method", e.method);
  table.put("evidence/statistic", e.statistic);
  table.put("evidence/null", e.null);
  table.put("evidence/score", e.score);
  table.put("evidence/background_percentile", e.background_percentile);
  table.put("evidence/background_n", e.background_n);
  table.put("evidence/background", e.background);
  table.put("evidence/control", e.control);
  table.put("evidence/log10_p", e.log10_p);
  table.put("evidence/grade", e.grade);
  table.put("evidence/role", e.role);
  table.put("evidence/abstain", e.abstain);
  table.put("evidence/detail_json", e.detail_json);
}

}  // namespace

void write_pair(TableWriter& table, const Pair& pair) {
  const std::uint64_t row = table.rows("pairs/verdict");
  table.put("pairs/model_a", pair.a);
  table.put("pairs/model_b", pair.b);
  table.put("pairs/verdict", pair.relation);
  table.put("pairs/log10_p", pair.log10_p);
  table.put("pairs/log10_p_corrected", pair.log10_p_corrected);
  table.put("pairs/tests", pair.tests);
  table.put("pairs/direction", pair.direction);
  table.put("pairs/reason", pair.reason);
  table.put("pairs/sentence", pair.sentence);
  for (const Evidence& e : pair.evidence) write_evidence(table, row, e);
}

void write_trace(TableWriter& table, const OriginTrace& trace) {
  const std::string group = "methods/origin_tracer/";
  for (const OriginReading& r : trace.readings) {
    table.put(group + "pair_index", table.rows("pairs/verdict") - 1);
    table.put(group + "layer", r.layer);
    table.put(group + "subject", r.subject);
    table.put(group + "reading", r.reading);
    table.put(group + "label", r.label);
    table.put(group + "rank_estimate", r.rank);
    table.put(group + "rank_limit", r.limit);
    table.put(group + "n_significant", r.significant);
    table.put(group + "ratio", r.ratio);
    table.put(group + "delta", r.delta);
    table.put(group + "update", r.update);
    table.put(group + "cosine", r.cosine);
    table.put(group + "noise_floor", r.noise_edge);
    table.put(group + "row_start", table.rows(group + "value"));
    table.put(group + "row_count", r.values.size());
    for (const double value : r.values) table.put(group + "value", value);
  }
}

void write_background(TableWriter& table, std::string_view method, std::string_view population,
                      std::span<const double> scores) {
  table.put("backgrounds/method", method);
  table.put("backgrounds/population", population);
  table.put("backgrounds/row_start", table.rows("backgrounds/value"));
  table.put("backgrounds/row_count", scores.size());
  for (const double score : scores) table.put("backgrounds/value", score);
}

void write_provenance(TableWriter& table, const Provenance& p) {
  table.put("provenance/uuid", p.uuid);
  table.put("provenance/job_id", p.job_id);
  table.put("provenance/cluster", p.cluster);
  table.put("provenance/user", p.user);
  table.put("provenance/argv", p.argv);
  table.put("provenance/versions_json", p.versions_json);
  table.put("provenance/environment_json", p.environment_json);
  table.put("provenance/modules", p.modules);
  table.put("provenance/started", p.started);
  table.put("provenance/ended", p.ended);
  table.put("provenance/ranks", p.ranks);
  table.put("provenance/nodes", p.nodes);
  table.put("provenance/exit_code", p.exit_code);
  table.put("provenance/read_ratio", p.read_ratio);
  for (const char* name :
       {"archive", "software_version", "software_commit", "machine", "created", "canonical_exact",
        "canonical_all", "methods_json", "plan_json", "resolved_yaml", "original_yaml", "overrides"})
    table.put_missing(std::string("provenance/") + name);  // of an archive of several runs
  for (const Host& host : p.hosts) {
    table.put("provenance/name", host.name);
    table.put("provenance/cpu_model", host.cpu_model);
    table.put("provenance/blas_core", host.blas_core);
    table.put("provenance/blas_config", host.blas_config);
    table.put("provenance/mpi_library", host.mpi_library);
    table.put("provenance/selftest", host.selftest ? 1 : 0);
  }
}

void write_plan(TableWriter& table, const PlanRecord& plan, const ModelIndex& model) {
  h5::Group group = table.file().group("plan");
  group.set_real("W", plan.work);
  group.set_real("LB", plan.lower_bound);
  group.set_real("lambda", plan.lambda);
  group.set_real("makespan_predicted", plan.makespan_predicted);
  group.set_real("makespan", plan.makespan);
  group.set_real("eff", plan.efficiency);
  group.set_text("calibration_json", archive_text(plan.calibration_json));
  for (const PlanItem& item : plan.items) {
    put_model(table, "plan/model_index", model(item.model));
    table.put("plan/name", item.name);
    table.put("plan/width", item.width);
    table.put("plan/predicted", item.predicted_seconds);
    table.put("plan/actual", item.actual_seconds);
    table.put("plan/status", item.status);
  }
}

void write_failures(TableWriter& table, std::vector<Failure> failures, const ModelIndex& model) {
  std::ranges::stable_sort(
      failures, {}, [](const Failure& f) { return std::tie(f.model, f.item, f.stage, f.rule, f.sentence); });
  for (const Failure& f : failures) {
    put_model(table, "failures/model_index", model(f.model));
    table.put("failures/item", f.item);
    table.put("failures/stage", f.stage);
    table.put("failures/rule", f.rule);
    table.put("failures/problem", f.sentence);
    table.put("failures/suggestion", f.suggestion);
    table.put("failures/attempts", f.attempts);
    table.put("failures/quarantined", f.quarantined ? 1 : 0);
    table.put("failures/rank", f.rank);
    table.put("failures/node", f.node);
    table.put("failures/seconds", f.seconds);
    table.put("failures/when", f.when);
  }
}

void write_findings(TableWriter& table, std::vector<ModelFinding> findings, const ModelIndex& model) {
  // Not by file: its path may differ between two runs of the same corpus.
  std::ranges::stable_sort(findings, {}, [](const ModelFinding& f) {
    return std::tie(f.model, f.finding.rule, f.finding.tensor, f.finding.byte_offset, f.finding.severity,
                    f.finding.expected, f.finding.found);
  });
  for (const auto& [id, f] : findings) {
    put_model(table, "findings/model_index", model(id));
    table.put("findings/rule", f.rule);
    table.put("findings/severity", f.severity);
    table.put("findings/file", f.file);
    table.put("findings/tensor", f.tensor);
    if (f.byte_offset)
      table.put("findings/byte_offset", *f.byte_offset);
    else
      table.put_missing("findings/byte_offset");
    table.put("findings/expected", f.expected);
    table.put("findings/found", f.found);
    table.put("findings/hint", f.hint);
  }
}

void write_duplicates(TableWriter& table, std::vector<ContentKey> keys, std::uint64_t tensors) {
  const auto content_of = [](const ContentKey& k) { return std::tie(k.hash, k.dtype, k.rows, k.cols); };
  std::ranges::sort(keys, {},
                    [](const ContentKey& k) { return std::tie(k.hash, k.dtype, k.rows, k.cols, k.tensor); });

  std::vector<std::uint32_t> duplicate_of(tensors, std::numeric_limits<std::uint32_t>::max());
  std::vector<std::span<const ContentKey>> sets;  // of two and more
  for (auto first = keys.begin(); first != keys.end();) {
    auto last = first;
    while (last != keys.end() && content_of(*last) == content_of(*first)) ++last;
    if (last - first > 1) sets.emplace_back(first, last);
    for (auto later = first + 1; later < last; ++later) duplicate_of[later->tensor] = first->tensor;
    first = last;
  }
  for (const std::uint32_t row : duplicate_of) table.put("tensors/duplicate_of", row);

  std::ranges::sort(sets, {}, [](const auto& set) { return set.front().tensor; });
  for (const auto& set : sets) {
    table.put("methods/content/content_hash_hi", set.front().hash.hi);
    table.put("methods/content/content_hash_lo", set.front().hash.lo);
    table.put("methods/content/row_start", table.rows("methods/content/tensor_index"));
    table.put("methods/content/row_count", set.size());
    table.put("methods/content/bytes_compared", 0);
    for (const ContentKey& key : set) table.put("methods/content/tensor_index", key.tensor);
  }
}

}  // namespace stemma
