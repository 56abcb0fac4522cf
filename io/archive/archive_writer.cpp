// How do the tables come together in one published file?
#include "io/archive/archive_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/archive/model_rows.hpp"
#include "io/archive/pair_rows.hpp"
#include "io/archive/table_writer.hpp"
#include "io/archive/unfinished_archive.hpp"

namespace stemma {

class ArchiveWriter::Impl {
 public:
  Impl(std::filesystem::path final_path, std::string_view suffix, const ArchiveChunks& chunks)
      : archive_(std::move(final_path), suffix, chunks) {}

  TableWriter& table() { return archive_.table(); }

  void add_model(const ModelEntry& entry, const FeatureSource& features) {
    if (!ids_.empty() && entry.id <= ids_.back())
      throw std::invalid_argument(
          fmt::format("model {} comes after {}: ids must ascend", entry.id, ids_.back()));
    write_model(table(), static_cast<std::uint32_t>(ids_.size()), entry, features, keys_);
    ids_.push_back(entry.id);
  }

  std::optional<std::uint32_t> row_of(std::string_view id) const {
    const auto found = std::ranges::lower_bound(ids_, id);
    if (found == ids_.end() || *found != id) return std::nullopt;
    return static_cast<std::uint32_t>(found - ids_.begin());
  }

  void set_methods(std::span<const MethodRecord> methods) {
    for (const MethodRecord& method : methods) {
      const std::string path = "methods/" + method.name;
      if (!table().file().has(path)) continue;  // an analyzer whose features no table of this version keeps
      h5::Group group = table().file().group(path);
      group.set_text("paper", method.paper);
      group.set_integer("version", h5::Type::u4, static_cast<std::uint64_t>(method.version));
      group.set_text("parameters_json", archive_text(method.parameters_json));
    }
  }

  ArchiveHashes publish() {
    const ModelIndex model = [this](std::string_view id) { return row_of(id); };
    write_run_of_models();
    write_duplicates(table(), std::move(keys_), table().rows("tensors/name"));
    write_failures(table(), std::move(failures), model);
    write_findings(table(), std::move(findings), model);
    if (plan) write_plan(table(), *plan, model);
    const Provenance who = provenance.value_or(Provenance{});
    return archive_.publish({.software_version = who.software_version,
                             .software_commit = who.software_commit,
                             .machine = who.machine,
                             .run_uuid = who.uuid,
                             .plan_digest = plan ? plan->digest : "",
                             .resolved_yaml = resolved_yaml,
                             .original_yaml = original_yaml,
                             .overrides = overrides});
  }

  std::vector<Failure> failures;
  std::vector<ModelFinding> findings;
  std::optional<PlanRecord> plan;
  std::optional<Provenance> provenance;
  std::string resolved_yaml;
  std::string original_yaml;
  std::string overrides;

 private:
  /// One run measured all of them.
  void write_run_of_models() {
    for (std::size_t i = 0; i < ids_.size(); ++i)
      if (provenance)
        table().put("models/run_index", 0);
      else
        table().put_missing("models/run_index");
  }

  UnfinishedArchive archive_;
  std::vector<std::string> ids_;
  std::vector<ContentKey> keys_;
};

ArchiveWriter::ArchiveWriter(std::filesystem::path final_path, std::string_view job_suffix,
                             ArchiveChunks chunks)
    : impl_(std::make_unique<Impl>(std::move(final_path), job_suffix, chunks)) {}
ArchiveWriter::~ArchiveWriter() = default;
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;

void ArchiveWriter::add_model(const ModelEntry& entry, const FeatureSource& features) {
  impl_->add_model(entry, features);
}
void ArchiveWriter::add_failure(const Failure& failure) { impl_->failures.push_back(failure); }
void ArchiveWriter::add_finding(std::string_view model_id, const Finding& finding) {
  impl_->findings.push_back({std::string(model_id), finding});
}
void ArchiveWriter::add_pair(const Pair& pair) { write_pair(impl_->table(), pair); }
void ArchiveWriter::add_trace(const OriginTrace& trace) { write_trace(impl_->table(), trace); }
void ArchiveWriter::add_background(std::string_view method, std::string_view population,
                                   std::span<const double> scores) {
  write_background(impl_->table(), method, population, scores);
}
void ArchiveWriter::set_methods(std::span<const MethodRecord> methods) { impl_->set_methods(methods); }
void ArchiveWriter::set_provenance(const Provenance& provenance) {
  if (impl_->provenance) throw std::logic_error("the provenance is already set");
  write_provenance(impl_->table(), provenance);
  impl_->provenance = provenance;
}
void ArchiveWriter::set_plan(const PlanRecord& plan) { impl_->plan = plan; }
void ArchiveWriter::set_config(std::string_view resolved_yaml, std::string_view original_yaml,
                               std::string_view overrides) {
  impl_->resolved_yaml = resolved_yaml;
  impl_->original_yaml = original_yaml;
  impl_->overrides = overrides;
}
ArchiveHashes ArchiveWriter::publish() { return impl_->publish(); }

}  // namespace stemma
