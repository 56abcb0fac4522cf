// A name that nobody else takes, so two of them never meet.
#include "pipeline/commands/passing_directory.hpp"

#include <fmt/format.h>

#include "io/archive/storage_error.hpp"
#include "pipeline/machine.hpp"

namespace stemma {

PassingDirectory::PassingDirectory(const std::filesystem::path& parent, std::string_view verb)
    : path_(parent / fmt::format("stemma-{}-{}", verb, new_uuid())) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw StorageError(path_.string(), "", "create", error.value());
}

PassingDirectory::~PassingDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace stemma
