// How do the tables come together in one published file?
#include "io/archive/archive_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/archive/archive_validator.hpp"
#include "io/archive/canonical_hash.hpp"
#include "io/archive/durable.hpp"
#include "io/archive/model_rows.hpp"
#include "io/archive/pair_rows.hpp"
#include "io/archive/seal.hpp"
#include "io/archive/sha256.hpp"
#include "io/archive/table_writer.hpp"
#include "io/archive/timestamp.hpp"

namespace stemma {

class ArchiveWriter::Impl {
 public:
  Impl(std::filesystem::path final_path, std::string_view suffix, const ArchiveChunks& chunks)
      : final_(std::move(final_path)),
        temporary_(fmt::format("{}.tmp.{}", final_.string(), suffix)),
        table_(std::make_unique<TableWriter>(temporary_.string(), chunks)) {}

  ~Impl() {
    if (published_ || kept_) return;
    table_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }

  TableWriter& table() {
    if (!table_) throw std::logic_error("the archive is already published");
    return *table_;
  }

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
    write_duplicates(table(), std::move(keys_), table().rows("tensors/name"));
    write_failures(table(), std::move(failures), model);
    write_findings(table(), std::move(findings), model);
    if (plan) write_plan(table(), *plan, model);
    for (const auto& [name, value] : config_texts()) table().put_scalar("config/" + name, value);
    table().put_scalar("schema/layout", layout::as_text());
    table().put_scalar("schema/schema_json", layout::as_json());
    table().put_scalar("schema/flag_tables", layout::flag_tables_json());
    table().finish();
    table().file().flush();
    const ArchiveHashes hashes = canonical_hashes(table().file());
    write_root(hashes);
    table().file().close();
    table_.reset();

    seal(temporary_);
    if (const auto complaints = validate(temporary_); !complaints.empty()) {
      kept_ = true;
      throw InvalidInput({.rule = "archive.invalid",
                          .file = temporary_.string(),
                          .expected = "an archive without complaints",
                          .found = fmt::format("{} complaints, the first: {}", complaints.size(),
                                               sentence(complaints.front())),
                          .hint = "the file is kept under its temporary name"});
    }
    publish_file(temporary_, final_);
    published_ = true;
    return hashes;
  }

  std::vector<Failure> failures;
  std::vector<ModelFinding> findings;
  std::optional<PlanRecord> plan;
  std::optional<Provenance> provenance;
  std::string resolved_yaml;
  std::string original_yaml;
  std::string overrides;

 private:
  std::vector<std::pair<std::string, std::string>> config_texts() const {
    return {{"resolved_yaml", resolved_yaml}, {"original_yaml", original_yaml}, {"overrides", overrides}};
  }

  void write_root(const ArchiveHashes& hashes) {
    const Provenance who = provenance.value_or(Provenance{});
    h5::Group root = table().file().group("");
    root.set_text("Conventions", "CF-1.8");
    root.set_text("stemma_archive", layout::version);
    root.set_text("title", "Fingerprints of language models");
    root.set_text("default", "/layers");
    root.set_text("software", "stemma");
    root.set_text("software_version", archive_text(who.software_version));
    root.set_text("software_commit", archive_text(who.software_commit));
    root.set_text("created", utc_now());
    root.set_text("machine", archive_text(who.machine));
    root.set_text("run_uuid", archive_text(who.uuid));
    root.set_text("config_sha256", sha256_hex(archive_text(resolved_yaml)));
    root.set_text("plan_digest", plan ? archive_text(plan->digest) : "");
    root.set_text("canonical_exact", hashes.exact);
    root.set_text("canonical_all", hashes.all);
    root.set_integer("extensions", h5::Type::u4, 0);
    root.set_integer("complete", h5::Type::u1, 1);
  }

  std::filesystem::path final_;
  std::filesystem::path temporary_;
  std::unique_ptr<TableWriter> table_;
  std::vector<std::string> ids_;
  std::vector<ContentKey> keys_;
  bool published_ = false;
  bool kept_ = false;
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
