// Tolerant reading of a strict format: tokens of Python become null, everything else must be JSON.
#include "io/model/model_config.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::int64_t largest_dimension = std::int64_t{1} << 40;

/// The text with NaN, Infinity and -Infinity, where they stand outside of strings, replaced by null.
std::string as_json(std::string_view text) {
  constexpr std::array<std::string_view, 3> tokens{"NaN", "-Infinity", "Infinity"};
  std::string json;
  json.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      json += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (c == '"') in_string = !in_string;
    std::size_t taken = 0;
    if (!in_string) {
      for (const std::string_view token : tokens) {
        if (text.substr(i).starts_with(token)) taken = token.size();
      }
    }
    if (taken > 0) {
      json += "null";
      i += taken;
    } else {
      json += c;
      ++i;
    }
  }
  return json;
}

const nlohmann::json* descend(const nlohmann::json& from, std::string_view key) {
  const nlohmann::json* at = &from;
  while (true) {
    const auto dot = key.find('.');
    if (!at->is_object()) return nullptr;
    const auto found = at->find(std::string(key.substr(0, dot)));
    if (found == at->end()) return nullptr;
    at = &*found;
    if (dot == std::string_view::npos) return at;
    key.remove_prefix(dot + 1);
  }
}

const nlohmann::json* lookup(const nlohmann::json& top, std::string_view key,
                             std::span<const std::string> nested) {
  for (const std::string& name : nested) {
    const auto* object = descend(top, name);
    const auto* found = object == nullptr ? nullptr : descend(*object, key);
    if (found != nullptr && !found->is_null()) return found;
  }
  return descend(top, key);
}

std::string written(const nlohmann::json& value) {
  return printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 60);
}

}  // namespace

struct ModelConfig::Json {
  nlohmann::json top = nlohmann::json::object();
};

ModelConfig::ModelConfig(std::string_view text) : json_(std::make_unique<Json>()) {
  if (text.empty()) return;
  auto parsed = nlohmann::json::parse(as_json(text), nullptr, false);
  malformed_ = !parsed.is_object();
  if (!malformed_) json_->top = std::move(parsed);
}
ModelConfig::~ModelConfig() = default;

bool ModelConfig::is_present() const { return !json_->top.empty(); }

ModelConfig::Number ModelConfig::number(std::string_view key, std::span<const std::string> nested) const {
  const auto* value = lookup(json_->top, key, nested);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() <= static_cast<std::uint64_t>(largest_dimension) &&
      value->get<std::uint64_t>() > 0) {
    return {value->get<std::int64_t>(), ""};
  }
  return {std::nullopt, written(*value)};
}

std::string ModelConfig::scalar(std::string_view key, std::span<const std::string> nested) const {
  const auto* value = lookup(json_->top, key, nested);
  if (value == nullptr) return "null";
  return value->is_string() ? value->get<std::string>() : written(*value);
}

std::vector<std::string> ModelConfig::texts(std::string_view key, std::span<const std::string> nested) const {
  std::vector<std::string> all;
  const auto add = [&](const nlohmann::json& from) {
    const auto* value = descend(from, key);
    if (value == nullptr) return;
    if (value->is_string()) all.push_back(value->get<std::string>());
    if (!value->is_array()) return;
    for (const auto& item : *value) {
      if (item.is_string()) all.push_back(item.get<std::string>());
    }
  };
  for (const std::string& name : nested) {
    if (const auto* object = descend(json_->top, name)) add(*object);
  }
  add(json_->top);
  return all;
}

}  // namespace stemma
