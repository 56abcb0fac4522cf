// Only what decides about factors is looked at; what this program would read wrongly is refused.
#include "io/formats/adapter_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "io/formats/companions.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/strict_json.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_patterns = 4'096;
constexpr std::uint64_t largest_rank = std::uint64_t{1} << 31;

enum class ValueKind : std::uint8_t { null, word, literal, container };

struct Value {
  ValueKind kind = ValueKind::null;
  std::string text;           ///< of a word; of a number, true and false as they are written
  std::uint64_t entries = 0;  ///< of a container
};

/// Keeps the scalars of the root, how many entries its lists and maps have, and both maps of patterns.
class ConfigHandler final : public JsonHandler {
 public:
  using Entries = std::vector<std::pair<std::string, Value>>;
  const std::map<std::string, Value, std::less<>>& root() const { return root_; }
  const Entries& ranks() const { return ranks_; }
  const Entries& alphas() const { return alphas_; }

  void begin_object() override { open(); }
  void begin_array() override { open(); }
  void end_object() override { --depth_; }
  void end_array() override { --depth_; }
  void key(std::string_view text) override {
    if (depth_ == 1) root_key_ = text;
    if (depth_ == 2) key_ = text;
  }
  void string(std::string_view text) override { put({ValueKind::word, std::string(text)}); }
  void integer(std::uint64_t value) override { put({ValueKind::literal, fmt::format("{}", value)}); }
  void null() override { put({ValueKind::null, "null"}); }
  void other(std::string_view literal) override { put({ValueKind::literal, std::string(literal)}); }

 private:
  void open() {
    if (depth_ > 0) put({ValueKind::container, "a list or map"});
    ++depth_;
  }
  void put(const Value& value) {
    if (depth_ == 1) root_[root_key_] = value;
    if (depth_ != 2) return;
    ++root_[root_key_].entries;
    if (root_key_ == "rank_pattern") ranks_.emplace_back(key_, value);
    if (root_key_ == "alpha_pattern") alphas_.emplace_back(key_, value);
  }

  std::size_t depth_ = 0;
  std::string root_key_, key_;
  std::map<std::string, Value, std::less<>> root_;
  Entries ranks_, alphas_;
};

class ConfigReader {
 public:
  ConfigReader(const ConfigHandler& said, const std::string& file_name) : said_(said), file_(file_name) {}

  AdapterConfig read() {
    refuse_others();
    AdapterConfig out;
    if (const Value* v = value("r")) out.rank = rank(*v, "r");
    if (const Value* v = value("lora_alpha")) out.alpha = alpha(*v, "lora_alpha");
    out.rank_stabilised = is_true("use_rslora");
    out.fan_in_fan_out = is_true("fan_in_fan_out");
    out.dora = is_true("use_dora");
    out.base = word("base_model_name_or_path");
    const Value* const made = value("init_lora_weights");
    if (made != nullptr && made->kind == ValueKind::word) out.initialisation = made->text.substr(0, 60);
    for (const auto& [key, v] : said_.ranks())
      out.ranks.emplace_back(pattern(key, "rank_pattern", out), rank(v, "rank_pattern"));
    for (const auto& [key, v] : said_.alphas())
      out.alphas.emplace_back(pattern(key, "alpha_pattern", out), alpha(v, "alpha_pattern"));
    return out;
  }

 private:
  [[noreturn]] void refuse(std::string rule, std::string_view key, std::string_view found,
                           std::string hint) const {
    throw InvalidInput({.rule = std::move(rule),
                        .file = file_,
                        .found = fmt::format("{} = {}", key, found),
                        .hint = std::move(hint)});
  }

  /// nullptr where the key is absent or null.
  const Value* value(std::string_view key) const {
    const auto found = said_.root().find(key);
    return found == said_.root().end() || found->second.kind == ValueKind::null ? nullptr : &found->second;
  }

  void refuse_others() const {
    const Value* const type = value("peft_type");
    if (type == nullptr || type->kind != ValueKind::word || type->text != "LORA")
      refuse("adapter.unsupported_type", "peft_type", type != nullptr ? printable(type->text, 60) : "null",
             "only LORA adapters are read: merge this one into its base and trace the merged model");
    for (const char* key : {"use_qalora", "layer_replication", "target_parameters", "arrow_config"}) {
      const Value* const v = value(key);
      if (v == nullptr || v->text == "false" || (v->kind == ValueKind::container && v->entries == 0))
        continue;
      refuse("adapter.unsupported_key", key, printable(v->text, 60),
             "this key changes which weights the factors belong to, and is not read: merge the adapter into "
             "its base and trace the merged model");
    }
  }

  bool is_true(std::string_view key) const {
    const Value* const v = value(key);
    if (v == nullptr) return false;
    if (v->kind == ValueKind::literal && (v->text == "true" || v->text == "false")) return v->text == "true";
    refuse("adapter.config_value", key, printable(v->text, 60), "it has to be true or false");
  }

  std::string word(std::string_view key) const {
    const Value* const v = value(key);
    if (v == nullptr || v->kind != ValueKind::word || v->text.size() > limits::claim_bytes) return "";
    return v->text;
  }

  std::uint64_t rank(const Value& v, std::string_view key) const {
    std::uint64_t out = 0;
    const char* const end = v.text.data() + v.text.size();
    const auto [stop, error] = std::from_chars(v.text.data(), end, out);
    if (v.kind != ValueKind::literal || error != std::errc() || stop != end || out == 0 || out > largest_rank)
      refuse("adapter.config_value", key, printable(v.text, 60), "a rank is a whole number of at least 1");
    return out;
  }

  double alpha(const Value& v, std::string_view key) const {
    double out = 0;
    const char* const end = v.text.data() + v.text.size();
    const auto [stop, error] = std::from_chars(v.text.data(), end, out);
    if (v.kind != ValueKind::literal || error != std::errc() || stop != end || !std::isfinite(out))
      refuse("adapter.config_value", key, printable(v.text, 60), "an alpha is a finite number");
    return out;
  }

  ModulePattern pattern(const std::string& key, std::string_view map, AdapterConfig& out) const {
    if (out.ranks.size() + out.alphas.size() >= most_patterns)
      refuse("limit.adapter_patterns", map, fmt::format("more than {} patterns", most_patterns), "");
    auto parsed = ModulePattern::parse(key);
    if (!parsed)
      refuse("adapter.pattern_unsupported", map, printable(key, 60),
             "of regular expressions only letters, ., \\., \\d, \\w, [...], *, +, ?, |, groups, ^ and $ are "
             "read: write the names of the modules");
    out.pattern_bytes += key.size();
    return std::move(*parsed);
  }

  const ConfigHandler& said_;
  const std::string& file_;
};

template <class T>
T first_match(const std::vector<std::pair<ModulePattern, T>>& patterns, std::string_view module, T common) {
  for (const auto& [pattern, value] : patterns)
    if (pattern.matches(module)) return value;
  return common;
}

}  // namespace

std::uint64_t AdapterConfig::rank_of(std::string_view module) const {
  return first_match(ranks, module, rank);
}
double AdapterConfig::alpha_of(std::string_view module) const { return first_match(alphas, module, alpha); }
double AdapterConfig::scale_of(std::string_view module) const {
  const auto r = static_cast<double>(rank_of(module));
  return alpha_of(module) / (rank_stabilised ? std::sqrt(r) : r);
}

bool AdapterConfig::changes_base() const {
  constexpr std::array<std::string_view, 5> changing{"pissa", "olora", "corda", "lora_ga", "loftq"};
  return std::ranges::any_of(changing,
                             [&](std::string_view name) { return initialisation.starts_with(name); });
}

AdapterConfig parse_adapter_config(std::string_view text, const std::string& file_name) {
  const std::string strict = strict_config(text, file_name);
  ConfigHandler handler;
  scan_json(strict, {}, handler);
  return ConfigReader(handler, file_name).read();
}

}  // namespace stemma
