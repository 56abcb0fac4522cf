// Who made an archive, with what, and how does a page say so?
#include <fmt/format.h>

#include "pipeline/citation.hpp"
#include "pipeline/page_parts.hpp"
#include "pipeline/version.hpp"

namespace stemma {

void add_provenance(PageContent& content, const ArchiveReader& archive) {
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty() && value != "{}") content.provenance.emplace_back(name, value);
  };
  put("Archive", content.archive_name);
  put("canonical_exact", archive.hashes().exact);
  put("canonical_all", archive.hashes().all);
  put("Made by", fmt::format("Stemma {} ({})", archive.attribute("software_version"),
                             archive.attribute("software_commit")));
  put("Page written by", fmt::format("Stemma {} ({})", version_text, commit_text));
  put("Made at", archive.attribute("created"));
  put("Machine", archive.attribute("machine"));
  put("Configuration, SHA-256", archive.attribute("config_sha256"));
  put("Plan", archive.attribute("plan_digest"));
  for (const char* column :
       {"uuid", "argv", "started", "ended", "job_id", "cluster", "user", "modules", "versions_json"})
    for (const std::string& value : archive.of_runs(column)) put(column, value);
  for (const char* column : {"cpu_model", "blas_config", "mpi_library"})
    for (const std::string& value : archive.of_runs(column)) put(column, value);
  put("Overrides", archive.config().overrides);
  content.bibtex = bibtex_of(citation_text);
  content.configuration = archive.config().original_yaml;
}

}  // namespace stemma
