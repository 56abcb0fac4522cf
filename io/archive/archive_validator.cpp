// In which order is an archive examined?
#include "io/archive/archive_validator.hpp"

#include <fmt/format.h>

#include <charconv>

#include "io/archive/canonical_hash.hpp"
#include "io/archive/seal.hpp"
#include "io/archive/sha256.hpp"
#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"
#include "io/config/presence.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

std::string why_not_a_file(const std::filesystem::path& path) {
  const std::string why = why_absent(path.string());
  return why.empty() ? "it is no regular file" : "it " + why;
}

void examine(const h5::File& file, ComplaintList& complaints) {
  bool ours = false;
  complaints.attempt("/", [&] { ours = check_root(file, complaints); });
  if (!ours) return;
  check_structure(file, complaints);
  // Values can only be judged in columns of the right shape.
  if (!complaints.empty()) return;
  check_columns(file, complaints);
  check_relations(file, complaints);
  complaints.attempt("spectra", [&] { check_spectra(file, complaints); });
  complaints.attempt("methods/tensorguard", [&] { check_responses(file, complaints); });
  complaints.attempt("methods/neuron_match", [&] { check_neurons(file, complaints); });
  check_hashes(file, complaints);
}

}  // namespace

std::string sentence(const Complaint& complaint) {
  return fmt::format("{}{}{} ({})", printable(complaint.where), complaint.where.empty() ? "" : ": ",
                     printable(complaint.problem, 600), complaint.rule);
}

std::vector<Complaint> validate(const std::filesystem::path& path) {
  ComplaintList complaints;
  complaints.attempt("", [&] {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
      return complaints.add("not_found", "", why_not_a_file(path));
    const SealState seal = seal_of(path);
    if (seal == SealState::broken)
      return complaints.add(
          "seal_broken", "",
          "bytes have changed since the file was written. Restore it from a copy or make it again");
    if (seal == SealState::absent)
      complaints.add("seal_absent", "",
                     "the file is not sealed: it was cut off, or another program has rewritten it");
    ComplaintList inside;
    inside.attempt("", [&] { examine(h5::File::open(path.string()), inside); });
    for (Complaint& c : inside.take())
      complaints.add(c.rule.substr(std::string_view("archive.").size()), c.where, c.problem);
  });
  return complaints.take();
}

bool check_root(const h5::File& file, ComplaintList& complaints) {
  const h5::Group root = file.group("");
  const auto version = root.text("stemma_archive");
  if (!version) {
    complaints.add("version", "/@stemma_archive", "the attribute is missing: not an archive of this program");
    return false;
  }
  unsigned major = 0;
  std::from_chars(version->data(), version->data() + version->size(), major);
  if (major != layout::major) {
    complaints.add("version", "/@stemma_archive",
                   fmt::format("version {} is not {}.x: another version of this program must judge it",
                               *version, layout::major));
    return false;
  }
  for (const char* name :
       {"Conventions", "title", "default", "software", "software_version", "software_commit", "created",
        "machine", "run_uuid", "config_sha256", "plan_digest", "canonical_exact", "canonical_all"})
    if (!root.text(name))
      complaints.add("attribute", std::string("/@") + name, "the text attribute is missing");
  if (!root.integers("extensions")) complaints.add("attribute", "/@extensions", "the attribute is missing");
  const auto complete = root.integers("complete");
  if (!complete || complete->size() != 1 || complete->front() != 1)
    complaints.add("incomplete", "/@complete", "the archive was never finished");
  return true;
}

void check_hashes(const h5::File& file, ComplaintList& complaints) {
  const h5::Group root = file.group("");
  const TableReader table(file);
  const bool same_version = root.text("stemma_archive") == layout::version;
  complaints.attempt("/@canonical_exact", [&] {
    // Another minor version may hash columns that are unknown here.
    if (!same_version) return;
    const ArchiveHashes hashes = canonical_hashes(file);
    const auto compare = [&](const char* name, const std::string& computed) {
      const std::string stored = root.text(name).value_or("");
      if (stored != computed)
        complaints.add("hash", std::string("/@") + name,
                       fmt::format("{} is stored, the columns give {}", stored, computed));
    };
    compare("canonical_exact", hashes.exact);
    compare("canonical_all", hashes.all);
  });
  complaints.attempt("/config", [&] {
    if (root.text("config_sha256") != sha256_hex(table.scalar("config/resolved_yaml")))
      complaints.add("hash", "/@config_sha256", "the resolved configuration has another SHA-256");
  });
  complaints.attempt("/schema/layout", [&] {
    if (same_version && table.scalar("schema/layout") != layout::as_text())
      complaints.add("layout_text", "/schema/layout", "the text differs from the layout of this version");
  });
}

}  // namespace stemma
