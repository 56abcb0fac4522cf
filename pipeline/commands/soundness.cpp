// Nothing is changed and nothing is trusted: what a file says of itself is held against its bytes.
#include "pipeline/commands/soundness.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analyzers/histogram.hpp"
#include "io/archive/archive_reader.hpp"
#include "io/archive/archive_validator.hpp"
#include "io/archive/layout.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "pipeline/commands/recorded_inputs.hpp"

namespace stemma {
namespace {

/// Moments of every tensor, recomputed from its histogram and compared bit by bit.
void check_all_moments(const ArchiveReader& archive, std::vector<std::string>& complaints) {
  for (std::size_t m = 0; m < archive.models().size(); ++m) {
    const std::vector<TensorRow> rows = archive.tensors(m);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto features = archive.histogram(archive.models()[m].first_tensor + r);
      if (!features) continue;
      for (const std::string& problem : check_histogram(*features, rows[r].dtype))
        complaints.push_back(fmt::format("{} {}: archive.moments: {}", printable(archive.models()[m].id),
                                         printable(rows[r].name), problem));
    }
  }
}

}  // namespace

Report verify_archive(const std::filesystem::path& path, Depth depth) {
  Report report{.target = path.string(), .kind = "archive"};
  for (const Complaint& complaint : validate(path)) report.complaints.push_back(sentence(complaint));
  if (!report.complaints.empty()) return report;
  const ArchiveReader archive(path);
  report.hashes = archive.hashes();
  if (const std::string version = archive.attribute("stemma_archive"); version != layout::version)
    (depth == Depth::hashes ? report.complaints : report.remarks)
        .push_back(
            fmt::format("archive.version: the canonical hashes of version {} cannot be computed by this "
                        "program, which knows {}; the stored ones are not checked",
                        printable(version), layout::version));
  if (depth == Depth::all) check_all_moments(archive, report.complaints);
  return report;
}

void hold_one_against(Report& report, const Report& other) {
  if (!report.sound()) return;
  if (!other.sound()) {
    report.complaints.push_back(fmt::format("verify.against: nothing was compared, because {} is not sound",
                                            printable(other.target)));
    return;
  }
  report.against = hold_against(report.target, other.target);
  for (const std::string& line : report.against.differing)
    report.complaints.push_back("verify.different: " + line);
  for (const std::string& line : report.against.rounding)
    report.remarks.push_back("verify.rounding: " + line);
}

void hold_to(Report& report, const std::string& sheet) {
  if (!report.sound()) return;
  report.expectation = hold_to(ArchiveReader(report.target, SealCheck::trust), sheet);
  for (const Unexpected& one : report.expectation->differing)
    report.complaints.push_back("verify.unexpected: " + sentence(one));
}

Report verify_checkpoint(const std::string& location, const ArchitectureTables& tables) {
  Report report{.target = location, .kind = "checkpoint"};
  std::vector<Finding> findings;
  try {
    const Model model = tables.canonicalise(open_checkpoint(location));
    findings = model.checkpoint.findings;
    findings.insert(findings.end(), model.findings.begin(), model.findings.end());
  } catch (const UnreadableModel& error) {
    findings = error.findings();
    if (findings.empty()) findings.push_back(error.finding());
  }
  for (Finding& f : findings) {
    if (f.file == location) f.file.clear();  // the line begins with it
    (f.severity == Severity::error ? report.complaints : report.remarks)
        .push_back(fmt::format("{}: {}", name_of(f.severity), sentence(f)));
  }
  return report;
}

void hold_to_files(Report& report, const std::string& inputs) {
  if (report.kind == "archive") {
    report.files = hash_files_of_archive(report.target, inputs);
  } else {
    std::vector<std::filesystem::path> files;
    for (const SourceFile& file : open_checkpoint(report.target).files) files.emplace_back(file.path);
    report.files = hash_files(files);
  }
  std::ranges::copy(report.files->complaints, std::back_inserter(report.complaints));
  std::ranges::copy(report.files->remarks, std::back_inserter(report.remarks));
}

void hold_to_checkpoints(Report& report, const std::string& inputs, const ArchitectureTables& tables) {
  const ArchiveReader archive(report.target, SealCheck::trust);
  for (const ModelRow& row : archive.models()) {
    if (row.status == Status::failed) continue;   // the archive says so, and deriving it again will
    if (row.format == format_of_known) continue;  // of another archive, which has no weights
    const std::string place = place_of(row, inputs).value_or(row.path).string();
    Report checkpoint = verify_checkpoint(place, tables);
    for (const std::string& line : checkpoint.complaints)
      report.complaints.push_back(fmt::format("{}: {}", printable(row.id), line));
  }
}

void take_derived(Report& report, Reproduced derived) {
  for (const std::string& line : derived.against.differing)
    report.complaints.push_back("verify.not_derived: " + line);
  for (const std::string& line : derived.against.rounding)
    report.remarks.push_back("verify.rounding: " + line);
  report.derived = std::move(derived);
}

}  // namespace stemma
