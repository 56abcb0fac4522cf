// What do tests of the readers need: files made on the spot, a reader over memory, the rule of a refusal?
#pragma once
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/finding.hpp"

namespace stemma::fixtures {

/// A directory of its own, gone with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "stemma-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path() const { return path_.string(); }
  std::string path(std::string_view name) const { return (path_ / name).string(); }
  void write(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  std::filesystem::path path_;
};

inline std::string u64(std::uint64_t value) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &value, 8);
  return bytes;
}

/// A safetensors file: length, header, data.
inline std::string safetensors(std::string_view header, std::string_view data = "") {
  return u64(header.size()).append(header).append(data);
}

/// A safetensors file of U8 vectors, each as long as its text.
inline std::string safetensors_of(const std::vector<std::pair<std::string, std::string>>& tensors) {
  std::string header = "{", data;
  for (const auto& [name, bytes] : tensors) {
    header +=
        fmt::format(R"({}"{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}})",
                    header == "{" ? "" : ",", name, bytes.size(), data.size(), data.size() + bytes.size());
    data += bytes;
  }
  return safetensors(header + "}", data);
}

/// Serves files from memory and remembers what was asked for.
class MemoryReader final : public ByteReader {
 public:
  explicit MemoryReader(std::string content) : content_(std::move(content)) {}
  SourceFile file() const {
    SourceFile file;
    file.path = "memory.safetensors";
    file.bytes = content_.size();
    return file;
  }
  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > content_.size() || out.size() > content_.size() - offset) {
      throw InvalidInput({.rule = "file.short_read", .file = file.path});
    }
    std::memcpy(out.data(), content_.data() + offset, out.size());
    requests_.emplace_back(offset, out.size());
    bytes_read_ += out.size();
  }
  std::uint64_t bytes_read() const override { return bytes_read_; }
  const std::vector<std::pair<std::uint64_t, std::uint64_t>>& requests() const { return requests_; }

 private:
  std::string content_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> requests_;
  std::uint64_t bytes_read_ = 0;
};

/// The rule with which `action` refuses, "" when it does not.
template <class Action>
std::string rule_of_refusal(const Action& action) {
  try {
    action();
  } catch (const InvalidInput& refused) {
    return refused.finding().rule;
  }
  return "";
}

/// Directory of the test data that does not belong to the repository.
inline std::filesystem::path test_data() {
  const char* const named = std::getenv("STEMMA_TEST_DATA");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(STEMMA_SOURCE_DIR) / ".." / "shared" / "data";
}

}  // namespace stemma::fixtures
