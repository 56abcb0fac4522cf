// Which rows do pairs, backgrounds, runs, plans, failures and findings become?
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/model_rows.hpp"
#include "io/archive/origin_trace.hpp"
#include "io/archive/records.hpp"
#include "io/archive/table_writer.hpp"

namespace stemma {

/// Row of a model by id, nothing when the archive has no such model.
using ModelIndex = std::function<std::optional<std::uint32_t>(std::string_view id)>;

void write_pair(TableWriter& table, const Pair& pair);
/// The readings of the pair that was written last.
void write_trace(TableWriter& table, const OriginTrace& trace);
void write_background(TableWriter& table, std::string_view method, std::string_view population,
                      std::span<const double> scores);
void write_provenance(TableWriter& table, const Provenance& provenance);
void write_plan(TableWriter& table, const PlanRecord& plan, const ModelIndex& model);
void write_failures(TableWriter& table, std::vector<Failure> failures, const ModelIndex& model);
void write_findings(TableWriter& table, std::vector<ModelFinding> findings, const ModelIndex& model);
/// Fills tensors/duplicate_of and /methods/content from the keys of all rows; `tensors` rows exist.
void write_duplicates(TableWriter& table, std::vector<ContentKey> keys, std::uint64_t tensors);

}  // namespace stemma
