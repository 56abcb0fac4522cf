// Where do files lie that nobody needs after a verb has ended?
#pragma once
#include <filesystem>
#include <string_view>

namespace stemma {

/// A new directory that goes away with its owner, and with all that is in it.
class PassingDirectory {
 public:
  /// In `parent`, "stemma-VERB-..." by a random name. Throws StorageError.
  PassingDirectory(const std::filesystem::path& parent, std::string_view verb);
  ~PassingDirectory();
  PassingDirectory(const PassingDirectory&) = delete;
  PassingDirectory& operator=(const PassingDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace stemma
