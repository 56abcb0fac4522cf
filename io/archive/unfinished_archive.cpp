// The final name appears last: whoever finds it finds a whole archive.
#include "io/archive/unfinished_archive.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "io/archive/archive_validator.hpp"
#include "io/archive/canonical_hash.hpp"
#include "io/archive/durable.hpp"
#include "io/archive/seal.hpp"
#include "io/archive/sha256.hpp"
#include "io/archive/timestamp.hpp"
#include "io/archive/writer_name.hpp"

namespace stemma {

UnfinishedArchive::UnfinishedArchive(std::filesystem::path final_path, std::string_view suffix,
                                     const ArchiveChunks& chunks)
    : final_(std::move(final_path)),
      temporary_(temporary_name(final_, suffix)),
      table_(std::make_unique<TableWriter>(temporary_.string(), chunks)) {}

UnfinishedArchive::~UnfinishedArchive() {
  if (keeps_) return;
  table_.reset();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

TableWriter& UnfinishedArchive::table() {
  if (!table_) throw std::logic_error("the archive is already published");
  return *table_;
}

ArchiveHashes UnfinishedArchive::publish(const RootRecord& root) {
  table().put_scalar("config/resolved_yaml", root.resolved_yaml);
  table().put_scalar("config/original_yaml", root.original_yaml);
  table().put_scalar("config/overrides", root.overrides);
  table().put_scalar("schema/layout", layout::as_text());
  table().put_scalar("schema/schema_json", layout::as_json());
  table().put_scalar("schema/flag_tables", layout::flag_tables_json());
  table().finish();
  table().file().flush();
  const ArchiveHashes hashes = canonical_hashes(table().file());
  write_root(root, hashes);
  table().file().close();
  table_.reset();

  seal(temporary_);
  if (const auto complaints = validate(temporary_); !complaints.empty()) {
    keeps_ = true;
    throw InvalidInput({.rule = "archive.invalid",
                        .file = temporary_.string(),
                        .expected = "an archive without complaints",
                        .found = fmt::format("{} complaints, the first: {}", complaints.size(),
                                             sentence(complaints.front())),
                        .hint = "the file is kept under its temporary name"});
  }
  publish_file(temporary_, final_);
  keeps_ = true;
  return hashes;
}

void UnfinishedArchive::write_root(const RootRecord& root, const ArchiveHashes& hashes) {
  h5::Group group = table().file().group("");
  group.set_text("Conventions", "CF-1.8");
  group.set_text("stemma_archive", layout::version);
  group.set_text("title", "Fingerprints of language models");
  group.set_text("default", "/layers");
  group.set_text("software", "stemma");
  group.set_text("software_version", archive_text(root.software_version));
  group.set_text("software_commit", archive_text(root.software_commit));
  group.set_text("created", utc_now());
  group.set_text("machine", archive_text(root.machine));
  group.set_text("run_uuid", archive_text(root.run_uuid));
  group.set_text("config_sha256", sha256_hex(archive_text(root.resolved_yaml)));
  group.set_text("plan_digest", archive_text(root.plan_digest));
  group.set_text("canonical_exact", hashes.exact);
  group.set_text("canonical_all", hashes.all);
  group.set_integer("extensions", h5::Type::u4, 0);
  group.set_integer("complete", h5::Type::u1, 1);
}

}  // namespace stemma
