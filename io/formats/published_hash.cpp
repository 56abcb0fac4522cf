// Looks at names and at one small file beside the weights, never at the weights.
#include "io/formats/published_hash.hpp"

#include <algorithm>
#include <sstream>

#include "io/formats/small_file.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t sha256_digits = 64;
constexpr std::uint64_t most_of_metadata = 4096;  // three lines: commit, name of the content, time
constexpr int deepest_file = 3;                   // directories between a file and the root of its copy

bool is_sha256(const std::string& text) {
  return text.size() == sha256_digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string name_of_blob(const fs::path& file) {
  std::error_code error;
  const fs::path blob = fs::canonical(file, error);
  if (error || blob.parent_path().filename() != "blobs") return "";
  const std::string name = blob.filename().string();
  return is_sha256(name) ? name : "";
}

std::string second_line_of(const fs::path& metadata) {
  std::error_code error;
  if (!fs::is_regular_file(metadata, error)) return "";
  try {
    std::istringstream lines(read_head(metadata.string(), most_of_metadata));
    std::string line;
    std::getline(lines, line);
    std::getline(lines, line);
    std::erase(line, '\r');
    return is_sha256(line) ? line : "";
  } catch (const InvalidInput&) {
    return "";  // it says nothing
  }
}

}  // namespace

std::string published_sha256(const fs::path& file) {
  std::string found = name_of_blob(file);
  fs::path root = fs::absolute(file).parent_path(), inside = file.filename();
  for (int up = 0; found.empty() && up < deepest_file; ++up) {
    found = second_line_of(root / ".cache/huggingface/download" / (inside.string() + ".metadata"));
    inside = root.filename() / inside;
    root = root.parent_path();
  }
  return found;
}

}  // namespace stemma
