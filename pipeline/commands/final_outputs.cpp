// The page comes first: the manifest, which comes last, has the hashes of everything else.
#include "pipeline/commands/final_outputs.hpp"

#include <fmt/format.h>

#include "io/archive/storage_error.hpp"
#include "pipeline/counted_stage.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/page_files.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

/// Page and heatmap: what is made of the archive. Returns where the page lies, "" where there is none.
fs::path leave_page(const fs::path& directory, const AuditRequest& request, Log& log) {
  if (!request.html && !request.multiqc) return {};
  const PageFiles files{.page = request.html ? directory / "report.html" : fs::path(),
                        .heatmap = request.multiqc ? directory / "stemma_mqc.json" : fs::path()};
  try {
    const WrittenPage written = write_page(request.archive, files, {});
    if (request.html)
      log.info("report", fmt::format("{}, {:.1f} MB", files.page.filename().string(),
                                     static_cast<double>(written.bytes) / 1e6));
    if (written.bytes > written.most_bytes)
      log.warn("the page is larger than report.max_size: its tables and the heatmap are never thinned");
    if (request.multiqc && !written.heatmap)
      log.warn(
          "stemma_mqc.json is not written: the archive has fewer than 2 models, or too many for a heatmap");
    return files.page;
  } catch (const StorageError&) {
    throw;  // a disk that takes no page takes no tables
  } catch (const std::exception& e) {
    log.warn(
        fmt::format("the page could not be made ({}). All results are there; stemma report {} tries again",
                    printable(e.what(), 300), printable(directory.string(), 4000)));
    return {};
  }
}

void say_what_is_missing(const AuditResult& result, const AuditRequest& request, Log& log) {
  const TableWishes& wishes = request.tables;
  if (const auto rows = feature_count(result.fingerprints); rows > wishes.most_features)
    log.info("report",
             fmt::format("features.tsv has no rows: {} are more than report.features allows ({}); the "
                         "archive holds the numbers",
                         with_commas(rows), with_commas(wishes.most_features)));
  if (wishes.redact)
    log.info("report",
             fmt::format("paths are shortened in page, tables, verdicts.json and manifest.json; {}, "
                         "config.yaml, config.resolved.yaml, overrides.txt and log keep them",
                         request.archive.filename().string()));
}

}  // namespace

fs::path leave_outputs(const RunDirectory& directory, const AuditResult& result, const AuditRequest& request,
                       Log& log) {
  fs::path page;
  {
    CountedStage stage(log, "report", "pairs", result.comparison.size(),
                       request.progress.until(&request.limit, result.failures.size()));
    page = leave_page(directory.path(), request, log);
    write_outputs(directory, result, request, &stage.done());
  }
  say_what_is_missing(result, request, log);
  return page;
}

}  // namespace stemma
