// What does an archive that is to be merged say, and who made it?
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/archive/hdf5.hpp"
#include "io/archive/source_rows.hpp"

namespace stemma {

/// One of the archives that become one. Opening it judges it like `stemma verify`: what does not keep the
/// rules of its layout cannot be merged by them.
class MergeSource {
 public:
  /// Throws InvalidInput: what ArchiveReader throws, archive.invalid with the first complaint,
  /// archive.other_version for a minor version whose columns this program may not know.
  explicit MergeSource(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const SourceRows& rows() const { return rows_; }
  const std::vector<std::string>& ids() const { return ids_; }
  std::string attribute(const std::string& name) const;

  /// Text of a column of /provenance for a run of this archive. An archive that one run wrote says in other
  /// places what a merged one says here.
  std::string run_text(const std::string& column, std::uint32_t run) const;
  /// Row of the run that measured a model; no_row when nobody is named.
  std::uint32_t run_of(std::uint64_t model) const;
  /// Name, version and parameters of the methods that look at models, as JSON; equal texts, equal methods.
  std::string methods_of(std::uint64_t model) const;

  /// Orders sources by what is in them, so that the order of arguments does not show.
  std::vector<std::string> rank() const;

 private:
  std::string methods_json() const;
  std::string plan_json() const;

  std::filesystem::path path_;
  SourceRows rows_;
  std::vector<std::string> ids_;
};

/// A short name for each source, all different: the file's, the directory's, or both, with as much of the
/// run's id as it takes. Letters, digits and ._+- only.
std::vector<std::string> names_of(const std::vector<MergeSource>& sources);

}  // namespace stemma
