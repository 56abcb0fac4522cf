// {"metadata": {"total_size": n}, "weight_map": {"tensor": "file"}}, read strictly.
#include "io/formats/shard_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "io/formats/limits.hpp"
#include "io/formats/strict_json.hpp"
#include "io/model/finding.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

struct Pair {
  std::string tensor, file;
};

class IndexHandler final : public JsonHandler {
 public:
  const std::string& fault() const { return fault_; }
  std::vector<Pair>& pairs() { return pairs_; }
  const std::string& total_size() const { return total_size_; }

  void begin_object() override {
    if (depth_ == 2 && in("weight_map")) fault_ = "a value of weight_map is an object instead of a file name";
    ++depth_;
  }
  void end_object() override { --depth_; }
  void begin_array() override {
    if (depth_ == 0) fault_ = "the index is an array instead of an object";
    misplaced("an array");
    ++depth_;
  }
  void end_array() override { --depth_; }
  void key(std::string_view text) override {
    if (depth_ == 1) section_ = text;
    if (depth_ == 2) key_ = text;
  }
  void string(std::string_view text) override {
    if (depth_ == 2 && in("weight_map")) {
      pairs_.push_back({key_, std::string(text)});
    } else {
      scalar(text);
    }
  }
  void integer(std::uint64_t value) override { scalar(fmt::format("{}", value)); }
  void null() override { scalar("null"); }
  void other(std::string_view literal) override { scalar(literal); }

 private:
  bool in(std::string_view section) const { return section_ == section; }
  void misplaced(std::string_view what) {
    if (depth_ == 1 && in("weight_map")) fault_ = fmt::format("weight_map is {} instead of an object", what);
    if (depth_ == 2 && in("weight_map")) {
      fault_ = fmt::format("a value of weight_map is {} instead of a file name", what);
    }
  }
  void scalar(std::string_view text) {
    if (depth_ == 0) fault_ = "the index is no object";
    if (depth_ == 2 && in("metadata") && key_ == "total_size") total_size_ = text.substr(0, 40);
    misplaced("a scalar");
  }

  std::size_t depth_ = 0;
  std::string section_, key_, fault_, total_size_;
  std::vector<Pair> pairs_;
};

[[noreturn]] void malformed(const std::string& file_name, std::string hint) {
  throw InvalidInput({.rule = "index.malformed", .file = file_name, .hint = std::move(hint)});
}

void require_safe(const std::vector<std::string>& files, const std::string& index_name) {
  for (const std::string& file : files) {
    if (const std::optional<std::string> danger = danger_of(file)) {
      throw InvalidInput({.rule = "path.unsafe_name",
                          .file = index_name,
                          .found = fmt::format("\"{}\"", printable(file)),
                          .hint = fmt::format("{}; nothing was opened", *danger)});
    }
  }
}

}  // namespace

std::optional<std::string> danger_of(std::string_view file_name) {
  constexpr std::array<std::string_view, 4> extensions{".safetensors", ".bin", ".pt", ".pth"};
  if (file_name.empty()) return "the file name is empty";
  if (file_name.size() > limits::file_name_bytes) return "the file name is longer than 255 bytes";
  if (first_invalid_utf8(file_name) < file_name.size()) return "the file name is not UTF-8";
  if (file_name.find_first_of("/\\") != std::string_view::npos)
    return "the file name leads to another directory";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(file_name.begin(), file_name.end(), control))
    return "the file name has a control character";
  const auto ends = [&](std::string_view extension) {
    return file_name.size() > extension.size() && file_name.ends_with(extension);
  };
  if (std::none_of(extensions.begin(), extensions.end(), ends))
    return "the file name is not that of a weight file";
  return std::nullopt;
}

ShardIndex parse_shard_index(std::string_view json, const std::string& file_name) {
  IndexHandler handler;
  const auto problem = scan_json(json, {.depth = limits::index_depth}, handler);
  if (problem) {
    throw InvalidInput({.rule = std::string(rule_of(problem->fault)),
                        .file = file_name,
                        .byte_offset = problem->byte,
                        .hint = printable(problem->detail)});
  }
  if (!handler.fault().empty()) malformed(file_name, handler.fault());
  if (handler.pairs().empty()) malformed(file_name, "weight_map is absent or empty");

  ShardIndex index{.file_name = file_name, .files = {}, .entries = {}, .total_size = handler.total_size()};
  for (const Pair& pair : handler.pairs()) index.files.push_back(pair.file);
  std::sort(index.files.begin(), index.files.end());
  index.files.erase(std::unique(index.files.begin(), index.files.end()), index.files.end());
  require_safe(index.files, file_name);
  if (index.files.size() > limits::shards) {
    throw InvalidInput({.rule = "limit.shards",
                        .file = file_name,
                        .expected = fmt::format("at most {} files", limits::shards),
                        .found = fmt::format("{} files", index.files.size())});
  }
  for (Pair& pair : handler.pairs()) {
    const auto file = std::lower_bound(index.files.begin(), index.files.end(), pair.file);
    index.entries.push_back({std::move(pair.tensor), static_cast<std::uint32_t>(file - index.files.begin())});
  }
  std::sort(index.entries.begin(), index.entries.end(),
            [](const auto& a, const auto& b) { return a.tensor < b.tensor; });
  return index;
}

}  // namespace stemma
