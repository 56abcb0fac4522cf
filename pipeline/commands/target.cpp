// Is this an archive, by its first bytes or by what lies in the directory?
#include "pipeline/commands/target.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <optional>

#include "io/model/finding.hpp"
#include "pipeline/commands/command.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

/// The .h5 file of a run directory.
std::optional<fs::path> archive_in(const fs::path& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".h5" && entry.is_regular_file(error)) return entry.path();
  return std::nullopt;
}

bool has_hdf5_signature(const fs::path& file) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> head{};
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), head.size()) && head == signature;
}

}  // namespace

bool is_archive(const std::string& target) {
  std::error_code error;
  if (fs::is_directory(target, error)) return archive_in(target).has_value();
  return fs::is_regular_file(target, error) &&
         (has_hdf5_signature(target) || fs::path(target).extension() == ".h5");
}

fs::path archive_at(const std::string& target) {
  std::error_code error;
  if (fs::is_directory(target, error)) {
    if (auto archive = archive_in(target)) return *archive;
    throw UsageError(fmt::format(
        "{} holds no archive. Fingerprint its models first: stemma fingerprint MODEL... -o NAME.h5",
        printable(target)));
  }
  if (fs::exists(target, error)) return target;
  throw UsageError(
      fmt::format("{} is neither an archive nor a run directory (there is no such file)", printable(target)));
}

}  // namespace stemma
