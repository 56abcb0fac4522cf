// How is the value of a key written in YAML?
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "io/config/key_table.hpp"

namespace stemma {
namespace {

/// Plain scalars that no YAML reader could take for something else.
bool needs_no_quotes(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }) &&
         text.size() > 3 && text != "true" && text != "false" && text != "null";
}

}  // namespace

std::string quoted_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string printed(const Key& key, const KeyValue& value) {
  struct Printer {
    const Key& key;
    std::string operator()(std::monostate) const { return "auto"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const {
      if (key.type == KeyType::size || key.type == KeyType::size_or_auto)
        return printed_size(static_cast<std::uint64_t>(number));
      if (key.type == KeyType::duration) return printed_duration(number);
      return fmt::format("{}", number);
    }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& text) const {
      return key.type == KeyType::choice || needs_no_quotes(text) ? text : quoted_text(text);
    }
    std::string operator()(const std::vector<std::string>& texts) const {
      std::vector<std::string> items;
      for (const std::string& text : texts) items.push_back(quoted_text(text));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
  };
  return std::visit(Printer{key}, value);
}

std::string bare(const Key& key, const KeyValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : printed(key, value);
}

std::string printed_default(const Key& key) {
  if (key.required || !key.computed_default.empty() || !key.value || key.type == KeyType::question) return "";
  return printed(key, key.value(RunConfig{}));
}

bool is_run_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return c < 0x7F && std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  return !text.empty() && text.size() <= 64 && alphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace stemma
