// How do the features of single subjects become fingerprints, rows of failures and one archive?
#pragma once
#include <span>
#include <vector>

#include "io/archive/archive_writer.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/result_store.hpp"

namespace stemma {

/// One fingerprint per surveyed model, in its order: every analyzer sums up what its subjects found. A model
/// that could not be read gets one with status failed and nothing in it.
std::vector<Fingerprint> gather_fingerprints(std::span<const SurveyedModel> models,
                                             const std::vector<Question>& questions,
                                             const ResultStore& store);

/// Adds a row for every reason why a subject failed, and for every item that fits on no rank. Of several
/// subjects that failed for one reason, the first by name speaks: the order of arrival does not show. `hosts`
/// are named by rank.
void collect_failures(std::span<const SurveyedModel> models, const Plan& plan, const ResultStore& store,
                      std::span<const std::string> hosts, std::vector<Failure>& failures);

/// What was learnt of every file of every model, parallel to its checkpoint's files: bytes of it that were
/// read, and its SHA-256 where that was asked for. `actual_seconds` as for fill_archive.
std::vector<std::vector<FileFacts>> gather_file_facts(std::span<const SurveyedModel> models, const Plan& plan,
                                                      const ResultStore& store,
                                                      std::span<const double> actual_seconds);

/// Backgrounds that a comparison has measured, for the archive: quantiles that travel with the program are no
/// scores and are left out.
std::vector<BackgroundScores> measured_backgrounds(const Comparison& comparison);

/// Hands everything to the writer; `actual_seconds` by item of the plan, NaN where an item did not run.
/// `added`, where somebody wants to know, counts models and pairs.
void fill_archive(ArchiveWriter& writer, const AuditResult& result, const AuditRequest& request,
                  const ResultStore& store, std::span<const double> actual_seconds,
                  DoneCount* added = nullptr);

}  // namespace stemma
