// How does a published archive become values again?
#include "io/archive/archive_reader.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include "io/archive/fingerprint_reader.hpp"
#include "io/archive/layout.hpp"
#include "io/archive/measurement.hpp"
#include "io/archive/pair_reader.hpp"
#include "io/archive/seal.hpp"
#include "io/archive/storage_error.hpp"
#include "io/config/presence.hpp"

namespace stemma {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, std::string rule, std::string expected,
                         std::string found, std::string hint) {
  throw InvalidInput({.rule = "archive." + std::move(rule),
                      .file = path.string(),
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

void check_bytes(const std::filesystem::path& path, SealCheck seal) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    const std::string why = why_absent(path.string());
    refuse(path, "not_found", "an archive", why.empty() ? "no regular file" : "it " + why,
           "check the path, or run the audit that makes it");
  }
  if (!has_hdf5_signature(path))
    refuse(path, "not_an_archive", "an HDF5 file", "other first bytes",
           "name an archive that stemma run or fingerprint wrote");
  if (seal == SealCheck::trust) return;
  switch (seal_of(path)) {
    case SealState::intact:
      return;
    case SealState::broken:
      refuse(path, "damaged", "the bytes that were written", "other bytes",
             "restore the file from a copy, or make it again");
    case SealState::absent:
      refuse(
          path, "unsealed", "a sealed archive", "no seal",
          "it is of another program, was cut off, or was rewritten; stemma verify says what else is wrong. "
          "Restore it from a copy, or make it again");
  }
}

h5::File open_file(const std::filesystem::path& path) {
  try {
    return h5::File::open(path.string());
  } catch (const StorageError& e) {
    refuse(path, "not_an_archive", "an HDF5 file", e.problem(),
           "name an archive that stemma run or fingerprint wrote");
  }
}

void check_version(const std::filesystem::path& path, const h5::File& file) {
  const h5::Group root = file.group("");
  const std::string version = root.text("stemma_archive").value_or("");
  if (version.empty())
    refuse(path, "not_an_archive", "attribute stemma_archive", "none", "it was not made by this program");
  unsigned major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  if (major != layout::major)
    refuse(path, "newer_version", fmt::format("version {}.x", layout::major), version,
           "use the program that made it, or a newer one");
  const auto complete = root.integers("complete");
  if (!complete || complete->size() != 1 || complete->front() != 1)
    refuse(path, "incomplete", "a complete archive", "one that was never finished", "run again to finish it");
}

/// Row of a ragged table that belongs to a tensor.
std::optional<std::uint64_t> place_of(std::uint64_t tensor, const std::vector<std::uint32_t>& tensors) {
  const auto found = std::ranges::lower_bound(tensors, tensor);
  if (found == tensors.end() || *found != tensor) return std::nullopt;
  return static_cast<std::uint64_t>(found - tensors.begin());
}

}  // namespace

class ArchiveReader::Impl {
 public:
  // What a sound file never does: a column that cannot be read or does not fit the others.
  template <class Action>
  auto guarded(const Action& action) const {
    try {
      return action();
    } catch (const InvalidInput&) {
      throw;
    } catch (const std::exception& e) {
      refuse(path_, "damaged", "columns that fit together", printable(e.what(), 300),
             "stemma verify lists everything that is wrong");
    }
  }

  Impl(const std::filesystem::path& path, SealCheck seal)
      : path_((check_bytes(path, seal), path)), file(open_file(path)), table(file) {
    check_version(path, file);
    guarded([&] {
      models = read_models(table);
      histogram_tensors = table.read<std::uint32_t>("histograms/tensor_index");
      vector_tensors = table.read<std::uint32_t>("vectors/tensor_index");
      spectrum_tensors = table.read<std::uint32_t>("spectra/tensor_index");
    });
  }

 private:
  std::filesystem::path path_;

 public:
  h5::File file;
  TableReader table;
  std::vector<ModelRow> models;
  std::vector<std::uint32_t> histogram_tensors;
  std::vector<std::uint32_t> vector_tensors;
  std::vector<std::uint32_t> spectrum_tensors;
};

ArchiveReader::ArchiveReader(const std::filesystem::path& path, SealCheck seal)
    : impl_(std::make_unique<Impl>(path, seal)) {}
ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;

const std::vector<ModelRow>& ArchiveReader::models() const { return impl_->models; }

Fingerprint ArchiveReader::fingerprint(std::size_t model, Sketches sketches) const {
  return impl_->guarded([&] {
    return read_fingerprint(impl_->table, impl_->models.at(model), model, impl_->histogram_tensors, sketches);
  });
}

std::vector<Fingerprint> ArchiveReader::fingerprints(Sketches sketches) const {
  std::vector<Fingerprint> all;
  all.reserve(impl_->models.size());
  for (std::size_t i = 0; i < impl_->models.size(); ++i) all.push_back(fingerprint(i, sketches));
  return all;
}

std::vector<TensorRow> ArchiveReader::tensors(std::size_t model) const {
  return impl_->guarded([&] { return read_tensors(impl_->table, impl_->models.at(model)); });
}

std::optional<Features> ArchiveReader::histogram(std::uint64_t tensor_row) const {
  return impl_->guarded([&]() -> std::optional<Features> {
    const TableReader& t = impl_->table;
    Features f = read_moments(t, tensor_row);
    if (f.counts.empty()) return std::nullopt;
    if (const auto row = place_of(tensor_row, impl_->histogram_tensors)) read_histogram(t, *row, f);
    if (const auto row = place_of(tensor_row, impl_->vector_tensors)) {
      const auto start = t.one<std::uint64_t>("vectors/row_start", *row);
      f.reals["vector"] =
          t.read<double>("vectors/value", start, t.one<std::uint32_t>("vectors/row_count", *row));
    }
    return f;
  });
}

std::optional<Features> ArchiveReader::spectrum(std::uint64_t tensor_row) const {
  return impl_->guarded([&]() -> std::optional<Features> {
    const auto row = place_of(tensor_row, impl_->spectrum_tensors);
    if (!row) return std::nullopt;
    Features f = read_spectrum(impl_->table, *row);
    f.subject = impl_->table.text("tensors/role", tensor_row, 1).front();
    return f;
  });
}

std::vector<Pair> ArchiveReader::pairs() const {
  return impl_->guarded([&] { return read_pairs(impl_->table); });
}
std::vector<Pair> ArchiveReader::pair_verdicts() const {
  return impl_->guarded([&] { return read_pair_verdicts(impl_->table); });
}
std::map<std::string, std::vector<Headline>> ArchiveReader::headlines() const {
  return impl_->guarded([&] { return read_headlines(impl_->table); });
}
std::vector<std::vector<float>> ArchiveReader::scores_of_places(std::string_view method,
                                                                std::string_view prefix) const {
  return impl_->guarded([&] { return read_scores_of_places(impl_->table, method, prefix); });
}
std::vector<std::optional<Grade>> ArchiveReader::grades() const {
  return impl_->guarded([&] { return read_grades(impl_->table); });
}
std::vector<std::vector<Evidence>> ArchiveReader::evidence(std::span<const std::size_t> pairs) const {
  return impl_->guarded([&] { return read_evidence_of(impl_->table, pairs); });
}
std::vector<std::vector<OriginReading>> ArchiveReader::origin_readings(
    std::span<const std::size_t> pairs) const {
  return impl_->guarded([&] { return read_origin_readings(impl_->table, pairs); });
}
std::vector<BackgroundScores> ArchiveReader::backgrounds() const {
  return impl_->guarded([&] { return read_backgrounds(impl_->table); });
}
std::vector<std::string> ArchiveReader::of_runs(const std::string& column) const {
  return impl_->guarded([&] { return impl_->table.text("provenance/" + column); });
}
std::vector<Failure> ArchiveReader::failures() const {
  return impl_->guarded([&] { return read_failures(impl_->table, impl_->models); });
}
std::vector<ModelFinding> ArchiveReader::findings() const {
  return impl_->guarded([&] { return read_findings(impl_->table, impl_->models); });
}
ConfigTexts ArchiveReader::config() const {
  return impl_->guarded([&] {
    const TableReader& t = impl_->table;
    return ConfigTexts{t.scalar("config/resolved_yaml"), t.scalar("config/original_yaml"),
                       t.scalar("config/overrides")};
  });
}
ArchiveHashes ArchiveReader::hashes() const {
  return {attribute("canonical_exact"), attribute("canonical_all")};
}
std::string ArchiveReader::attribute(const std::string& name) const {
  return impl_->guarded([&] { return impl_->file.group("").text(name).value_or(""); });
}

}  // namespace stemma
