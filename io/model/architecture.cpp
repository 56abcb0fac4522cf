// Finding tables, and settling what they say about each other: extends, replaces, equal names.
#include "io/model/architecture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "io/config/yaml_section.hpp"
#include "io/model/architecture_check.hpp"
#include "io/model/architecture_reader.hpp"
#include "io/model/canonicalise.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

/// The tables of all directories while they find out about each other.
class Library {
 public:
  void read(const std::vector<fs::path>& directories) {
    for (std::size_t i = 0; i < directories.size(); ++i) {
      for (const fs::path& file : files_in(directories[i])) {
        Complaints complaints(file.string());
        auto table = read_architecture(file, complaints);
        problems_.insert(problems_.end(), complaints.problems().begin(), complaints.problems().end());
        if (!table) continue;
        table->directory = i;
        tables_.push_back({std::move(*table), false});
      }
    }
    for (Item& item : tables_) settle_name(item);
  }

  std::vector<std::shared_ptr<const Architecture>> finish() {
    std::vector<std::shared_ptr<const Architecture>> finished;
    for (const Item& item : tables_) {
      Architecture table = item.table;
      if (!table.extends.empty()) {
        const Architecture* base = base_of(item);
        if (base == nullptr) continue;
        table = expanded(table, *base);
      }
      if (!has_fair_size(table)) continue;
      const auto faults = faults_of(table);
      problems_.insert(problems_.end(), faults.begin(), faults.end());
      index_names(table);
      if (!item.replaced) finished.push_back(std::make_shared<const Architecture>(std::move(table)));
    }
    if (!problems_.empty()) throw ConfigProblems(problems_);
    std::sort(finished.begin(), finished.end(),
              [](const auto& a, const auto& b) { return a->family < b->family; });
    return finished;
  }

 private:
  struct Item {
    Architecture table;
    bool replaced = false;
  };

  std::vector<fs::path> files_in(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code error;
    for (auto at = fs::directory_iterator(directory, error); !error && at != fs::directory_iterator();
         at.increment(error)) {
      const fs::path& file = at->path();
      if (file.extension() == ".yaml" && !file.filename().string().starts_with('.')) files.push_back(file);
    }
    if (error) {
      problems_.push_back({directory.string(), 0, 0, "",
                           fmt::format("cannot be listed ({}). --architectures, STEMMA_ARCHITECTURES and the "
                                       "key architectures name directories with tables",
                                       error.message()),
                           ""});
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  void complain(const TablePlace& place, const std::string& key, std::string message) {
    problems_.push_back({place.file, place.at.line, place.at.column, key, std::move(message), ""});
  }

  /// Every spelling is compared with every other, and dimensions refer to each other: size is time and stack.
  bool has_fair_size(const Architecture& table) {
    constexpr std::size_t most_spellings = 4'096, most_dims = 64;
    const std::size_t spellings = number_of_spellings(table);
    if (spellings <= most_spellings && table.dims.size() <= most_dims) return true;
    complain(table.family_place, "family",
             fmt::format("{} has {} ways to spell names and {} dimensions (at most {} and {} are read)",
                         table.family, spellings, table.dims.size(), most_spellings, most_dims));
    return false;
  }

  std::string proposal(const std::string& family, const Item& asker) const {
    std::vector<std::string> names;
    for (const Item& item : tables_) {
      if (&item != &asker) names.push_back(item.table.family);
    }
    const auto close_one = nearest(family, names);
    return close_one ? fmt::format(". Did you mean {}?", *close_one) : "";
  }

  /// Names are unique, except where a later directory says that it replaces a family of an earlier one.
  void settle_name(Item& item) {
    const Architecture& table = item.table;
    if (!table.replaces.empty()) {
      Item* victim = nullptr;
      for (Item& other : tables_) {
        if (other.table.family == table.replaces && other.table.directory < table.directory &&
            !other.replaced) {
          victim = &other;
        }
      }
      if (victim == nullptr) {
        complain(table.replaces_place, "replaces",
                 fmt::format("replaces: no earlier directory has a family {}{}", table.replaces,
                             proposal(table.replaces, item)));
      } else {
        victim->replaced = true;
      }
    }
    for (const Item& other : tables_) {
      if (&other == &item) break;
      if (other.table.family != table.family || other.replaced) continue;
      complain(table.family_place, "family",
               fmt::format("the family {} exists already, in {}. Choose a new name, or say replaces: {}",
                           table.family, other.table.file, table.family));
    }
  }

  /// The table named by `extends`; a table that replaces a family may extend the one that it replaces.
  const Architecture* base_of(const Item& item) {
    const Architecture& table = item.table;
    const Item* base = nullptr;
    for (const Item& other : tables_) {
      if (&other == &item || other.table.family != table.extends) continue;
      if (base == nullptr || base->replaced) base = &other;
    }
    if (base == nullptr) {
      complain(table.extends_place, "extends",
               fmt::format("extends: there is no family {}{}", table.extends, proposal(table.extends, item)));
      return nullptr;
    }
    if (!base->table.extends.empty()) {
      complain(table.extends_place, "extends",
               fmt::format("extends: {} itself extends {} (one level only). Extend {}", table.extends,
                           base->table.extends, base->table.extends));
      return nullptr;
    }
    for (const auto& [part, place] : table.drop) {
      const bool present = std::any_of(base->table.entries.begin(), base->table.entries.end(),
                                       [part = part](const Entry& entry) {
                                         const auto parts = entry.parts();
                                         return std::find(parts.begin(), parts.end(), part) != parts.end();
                                       });
      if (present) continue;
      complain(place, "drop", fmt::format("drop: {} has no {}", table.extends, name_of(part)));
    }
    return &base->table;
  }

  std::vector<Item> tables_;
  std::vector<Problem> problems_;
};

}  // namespace

ArchitectureTables ArchitectureTables::load(const std::vector<fs::path>& directories) {
  Library library;
  library.read(directories);
  ArchitectureTables tables;
  tables.tables_ = library.finish();
  return tables;
}

ArchitectureTables ArchitectureTables::shipped_and(const std::vector<fs::path>& more) {
  std::vector<fs::path> directories{shipped_architectures()};
  directories.insert(directories.end(), more.begin(), more.end());
  return load(directories);
}

Model ArchitectureTables::canonicalise(Checkpoint checkpoint, std::string_view forced_family) const {
  const Architecture* forced = nullptr;
  if (!forced_family.empty()) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const auto& table) { return table->family == forced_family; });
    if (found == tables_.end()) {
      throw UnknownFamily(fmt::format("{} is not a known architecture. Known: {}", printable(forced_family),
                                      fmt::join(families(), ", ")));
    }
    forced = found->get();
  }
  std::vector<const Architecture*> candidates;
  for (const auto& table : tables_) candidates.push_back(table.get());
  return canonical_model(std::move(checkpoint), candidates, forced);
}

std::vector<std::string> ArchitectureTables::families() const {
  std::vector<std::string> names;
  for (const auto& table : tables_) names.push_back(table->family);
  return names;
}

fs::path shipped_architectures() {
  if (const char* share = std::getenv("STEMMA_SHARE"); share != nullptr && *share != '\0') {
    return fs::path(share) / "architectures";
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path beside = program.parent_path().parent_path() / "share" / "stemma" / "architectures";
    if (fs::is_directory(beside, error)) return beside;
  }
  return fs::path(STEMMA_SHARE_FALLBACK) / "architectures";
}

}  // namespace stemma
