// Which files does a finished run leave for people and scripts?
#pragma once
#include <filesystem>
#include <string>

#include "pipeline/audit.hpp"
#include "pipeline/run_directory.hpp"

namespace stemma {

/// Which pairs a table holds. Candidates are those that are declared or related, or that were read again.
enum class PairRows : std::uint8_t { all, candidates };

/// Writes models.tsv, pairs.tsv, evidence.tsv, verdicts.tsv, verdicts.json, features.tsv, families.tsv,
/// findings.tsv, failures.tsv and manifest.json. All of them exist afterwards, with a header line even when
/// they have no rows. What the request says about tables is done to all of them. `told`, where somebody wants
/// to know, counts pairs whose evidence is written. Throws StorageError.
void write_outputs(const RunDirectory& directory, const AuditResult& result, const AuditRequest& request,
                   DoneCount* told = nullptr);

/// Hash of what a model holds: SHA-256 over the sorted (role, content key) of its canonical tensors. It does
/// not depend on sharding, container or names. "" when a tensor could not be measured.
std::string content_of(const Fingerprint& model);

std::string models_table(const AuditResult& result);
std::string pairs_table(const std::vector<Fingerprint>& models, const Comparison& comparison,
                        PairRows rows = PairRows::all);
std::string evidence_table(const std::vector<Fingerprint>& models, const Comparison& comparison,
                           PairRows rows = PairRows::all, DoneCount* told = nullptr);
std::string verdicts_table(const std::vector<Fingerprint>& models, const Comparison& comparison);
/// Rows of features_table: one for each number that is known.
std::uint64_t feature_count(const std::vector<Fingerprint>& models);
/// Only the header where there are more than `most` rows.
std::string features_table(const std::vector<Fingerprint>& models, std::uint64_t most = UINT64_MAX);
/// Where tensorguard puts every model, and where the control does; only the header without two bases.
std::string families_table(const std::vector<Fingerprint>& models);
std::string findings_table(const std::vector<SurveyedModel>& models);
std::string findings_table(const std::vector<ModelFinding>& findings);
std::string failures_table(const std::vector<Failure>& failures);

/// stemma.verdicts/1
std::string verdicts_json(const AuditResult& result, const AuditRequest& request);
/// stemma.compare/1: every pair with all its evidence, and the sentence that says what a curve score is
/// worth.
std::string comparison_json(const std::vector<Fingerprint>& models, const Comparison& comparison);
/// stemma.manifest/1, with the SHA-256 of every file that lies in the run directory by then. Throws
/// StorageError.
std::string manifest_json(const AuditResult& result, const AuditRequest& request,
                          const std::filesystem::path& directory);

}  // namespace stemma
