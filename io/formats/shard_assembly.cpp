// Headers are opened file by file, then compared with the index, or with each other where there is none.
#include "io/formats/shard_assembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>

#include "io/config/hub_cache.hpp"
#include "io/formats/container.hpp"
#include "io/formats/file_reader.hpp"
#include "io/formats/gguf_files.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

Finding warning(std::string rule, std::string file, std::string tensor, std::string found, std::string hint) {
  return {.severity = Severity::warning,
          .rule = std::move(rule),
          .file = std::move(file),
          .tensor = std::move(tensor),
          .found = std::move(found),
          .hint = std::move(hint)};
}

/// What stands in the way of opening the file at all.
std::optional<Finding> absence(const ModelFiles& files, const std::string& name) {
  const std::filesystem::path path = files.directory + "/" + name;
  std::error_code error;
  if (std::filesystem::exists(path, error) || error) return std::nullopt;
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
    return Finding{.rule = "incomplete_download",
                   .file = name,
                   .found = "a link to nothing",
                   .hint = "the file was never fetched, or was removed from the cache. Fetch it again"};
  }
  return Finding{.rule = "missing_shard",
                 .file = name,
                 .hint = files.index ? fmt::format("named by {}, but absent. Fetch it",
                                                   printable(files.index->file_name))
                                     : "its number belongs to the set of parts, but it is absent. Fetch it"};
}

/// Links of a hub's cache lead to blobs of the same repository; one that leads elsewhere was not made by a
/// download.
void require_inside_repository(const std::string& directory, const std::string& name) {
  namespace fs = std::filesystem;
  if (hub_folder_name(directory).empty()) return;
  std::error_code error;
  const std::string repository =
      fs::weakly_canonical(fs::path(directory) / ".." / "..", error).string() + "/";
  const std::string file = fs::weakly_canonical(fs::path(directory) / name, error).string();
  if (!error && file.starts_with(repository)) return;
  throw InvalidInput({.rule = "path.symlink_escape",
                      .file = name,
                      .found = "a link out of the repository's folder in the cache",
                      .hint =
                          "its blobs lie in that folder: fetch the model again, or name the directory that "
                          "holds the file"});
}

class Assembly {
 public:
  Assembly(const ModelFiles& files, Checkpoint& checkpoint) : files_(files), checkpoint_(checkpoint) {}

  void open_all() {
    for (const std::string& name : files_.names) {
      try {
        open(name);
      } catch (const InvalidInput& refused) {
        if (!files_.is_set) throw;
        checkpoint_.findings.push_back(as_part(name, refused.finding()));
        unreadable_.push_back(name);
      }
    }
    if (unreadable_.empty())
      std::ranges::for_each(contradictions_of_parts(files_.names, parts_), [&](auto& f) { report(f); });
  }

  void keep_indexed() {
    const ShardIndex& index = *files_.index;
    std::vector<bool> found(index.entries.size());
    std::vector<StoredTensor> kept;
    for (StoredTensor& tensor : checkpoint_.tensors) {
      const std::string& file = name_of_file(tensor.file);
      const auto entry =
          std::lower_bound(index.entries.begin(), index.entries.end(), tensor.name,
                           [](const auto& e, const std::string& name) { return e.tensor < name; });
      if (entry == index.entries.end() || entry->tensor != tensor.name) {
        report(warning("unindexed_tensor", file, tensor.name, "", "the index does not name it; not used"));
      } else if (index.files[entry->file] != file) {
        report(warning("shadowed_tensor", file, tensor.name, "",
                       fmt::format("the index takes it from {}; this copy is not used",
                                   printable(index.files[entry->file]))));
      } else {
        found[static_cast<std::size_t>(entry - index.entries.begin())] = true;
        kept.push_back(std::move(tensor));
      }
    }
    checkpoint_.tensors = std::move(kept);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::string& file = index.files[index.entries[i].file];
      if (found[i] || std::find(unreadable_.begin(), unreadable_.end(), file) != unreadable_.end()) continue;
      report({.rule = "index_mismatch",
              .file = file,
              .tensor = index.entries[i].tensor,
              .hint = fmt::format("{} says that the tensor is in this file, but it is not",
                                  printable(index.file_name))});
    }
    compare_total_size(index);
    compare_single_file();
  }

  void sort_tensors() {
    std::vector<StoredTensor>& tensors = checkpoint_.tensors;
    std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
      return std::tie(a.name, a.file) < std::tie(b.name, b.file);
    });
    const auto same_name = [](const StoredTensor& a, const StoredTensor& b) { return a.name == b.name; };
    for (auto twice = std::adjacent_find(tensors.begin(), tensors.end(), same_name); twice != tensors.end();
         twice = std::adjacent_find(twice + 1, tensors.end(), same_name)) {
      report_duplicate(*twice, *(twice + 1));
    }
    tensors.erase(std::unique(tensors.begin(), tensors.end(), same_name), tensors.end());
  }

 private:
  void report(Finding finding) { checkpoint_.findings.push_back(std::move(finding)); }

  std::string name_of_file(std::uint32_t file) const { return file_name_of(checkpoint_.files[file].path); }

  void open(const std::string& name) {
    if (files_.is_set) {
      if (auto absent = absence(files_, name)) throw InvalidInput(std::move(*absent));
    }
    require_inside_repository(files_.directory, name);
    SourceFile source = stat_source(files_.directory + "/" + name);
    Container container = open_container(source, reader_);
    source.header_bytes = container.header_bytes;
    if (checkpoint_.tensors.size() + container.tensors.size() > limits::tensors_per_model) {
      throw InvalidInput({.rule = "limit.tensors",
                          .file = name,
                          .expected = fmt::format("at most {} in one model", limits::tensors_per_model)});
    }
    parts_.push_back(container.part);
    const auto file = static_cast<std::uint32_t>(checkpoint_.files.size());
    checkpoint_.files.push_back(std::move(source));
    for (StoredTensor& tensor : container.tensors) {
      tensor.file = file;
      checkpoint_.tensors.push_back(std::move(tensor));
    }
    if (file == 0) {
      checkpoint_.format = container.format;
      checkpoint_.config_json = std::move(container.config_json);
      checkpoint_.vocabulary = std::move(container.vocabulary);
    }
    std::ranges::move(container.claims, std::back_inserter(checkpoint_.claims));
    for (Finding& finding : container.findings) report(std::move(finding));
  }

  /// A part that fails its own rules is an unreadable shard, with that rule attached.
  static Finding as_part(const std::string& name, const Finding& why) {
    if (why.rule == "missing_shard" || why.rule == "incomplete_download" || why.rule == "lfs_pointer")
      return why;
    return {.rule = "unreadable_shard",
            .file = name,
            .tensor = why.tensor,
            .byte_offset = why.byte_offset,
            .found = why.rule,
            .hint = sentence(why)};
  }

  void compare_total_size(const ShardIndex& index) {
    if (index.total_size.empty() || !unreadable_.empty()) return;
    // Tensors that are one and the same place, as torch files have them, count once.
    std::set<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>> counted;
    std::uint64_t bytes = 0;
    for (const StoredTensor& tensor : checkpoint_.tensors)
      if (counted.emplace(tensor.file, tensor.place(), tensor.bytes).second) bytes += tensor.bytes;
    if (index.total_size == fmt::format("{}", bytes)) return;
    Finding finding = warning("index_total_size", index.file_name, "", printable(index.total_size),
                              "the sum over the tensors counts");
    finding.expected = fmt::format("{}", bytes);
    report(std::move(finding));
  }

  /// Beside an index the single file is what other loaders take: say how far the two differ.
  void compare_single_file() {
    const bool is_torch = files_.index->file_name.starts_with("pytorch_model.");
    const std::string name = is_torch ? "pytorch_model.bin" : "model.safetensors",
                      path = files_.directory + "/" + name;
    std::error_code error;
    const bool indexed = std::binary_search(files_.index->files.begin(), files_.index->files.end(), name);
    if (indexed || !std::filesystem::exists(path, error)) return;
    std::string difference;
    try {
      const Container other = open_container(stat_source(path), reader_);
      difference = difference_from(other.tensors);
    } catch (const InvalidInput& refused) {
      difference = fmt::format("it cannot be read: {}", refused.finding().rule);
    }
    report(warning("ambiguous_model_files", name, "", difference,
                   "some loaders take this file, others the index; the index is used"));
  }

  std::string difference_from(const std::vector<StoredTensor>& other) const {
    const auto key = [](const StoredTensor& tensor) {
      return std::pair(std::string_view(tensor.name), tensor.bytes);
    };
    std::vector<std::pair<std::string_view, std::uint64_t>> mine, theirs, different;
    for (const StoredTensor& tensor : checkpoint_.tensors) mine.push_back(key(tensor));
    for (const StoredTensor& tensor : other) theirs.push_back(key(tensor));
    std::sort(mine.begin(), mine.end());
    std::sort(theirs.begin(), theirs.end());
    std::set_symmetric_difference(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                                  std::back_inserter(different));
    if (different.empty()) return "the same names and sizes";
    return fmt::format("other names or sizes, first \"{}\"", printable(different.front().first, 100));
  }

  void report_duplicate(const StoredTensor& a, const StoredTensor& b) {
    const bool identical = a.dtype == b.dtype && a.shape == b.shape && same_bytes(a, b);
    Finding finding =
        warning("duplicate_tensor", name_of_file(b.file), b.name, identical ? "identical" : "different",
                fmt::format("{} holds a tensor of this name too, and no index chooses",
                            printable(name_of_file(a.file))));
    if (!identical) finding.severity = Severity::error;
    report(std::move(finding));
  }

  bool same_bytes(const StoredTensor& a, const StoredTensor& b) {
    constexpr std::uint64_t chunk = std::uint64_t{4} << 20;
    std::vector<std::byte> left(std::min(chunk, a.bytes)), right(left.size());
    for (std::uint64_t at = 0; at < a.bytes; at += chunk) {
      const std::size_t n = std::min(chunk, a.bytes - at);
      const auto first = std::span(left).first(n), second = std::span(right).first(n);
      reader_.read(source_of(checkpoint_.files[a.file], a), a.offset + at, first);
      reader_.read(source_of(checkpoint_.files[b.file], b), b.offset + at, second);
      if (!std::equal(first.begin(), first.end(), second.begin())) return false;
    }
    return true;
  }

  const ModelFiles& files_;
  Checkpoint& checkpoint_;
  FileReader reader_;
  std::vector<std::string> unreadable_;
  std::vector<std::optional<PartOfSet>> parts_;  ///< what each file says
};

}  // namespace

void assemble(const ModelFiles& files, Checkpoint& checkpoint) {
  Assembly assembly(files, checkpoint);
  assembly.open_all();
  if (files.index) assembly.keep_indexed();
  assembly.sort_tensors();
}

}  // namespace stemma
