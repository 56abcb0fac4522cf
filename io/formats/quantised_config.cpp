// Every tool spells the same few facts in its own way.
#include "io/formats/quantised_config.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/formats/companions.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/small_file.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using Json = nlohmann::json;

const Json* child(const Json& from, const char* key) {
  if (!from.is_object()) return nullptr;
  const auto found = from.find(key);
  return found == from.end() || found->is_null() ? nullptr : &*found;
}

std::string word(const Json& from, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const Json* value = child(from, key);
    if (value == nullptr || !value->is_string()) continue;
    auto text = value->get<std::string>();
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
  }
  return "";
}

std::optional<std::int64_t> number(const Json& from, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const Json* value = child(from, key);
    if (value != nullptr && value->is_number_integer()) return value->get<std::int64_t>();
  }
  return std::nullopt;
}

bool flag(const Json& from, std::initializer_list<const char*> keys) {
  return std::ranges::any_of(keys, [&](const char* key) {
    const Json* value = child(from, key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
  });
}

void read_block(const Json& from, QuantisationConfig& config) {
  for (const char* key : {"weight_block_size", "block_structure"}) {
    const Json* value = child(from, key);
    if (value == nullptr || !value->is_array() || value->size() != 2) continue;
    const Json &rows = (*value)[0], &cols = (*value)[1];
    if (rows.is_number_integer() && cols.is_number_integer())
      config.block.emplace(rows.get<std::int64_t>(), cols.get<std::int64_t>());
  }
}

/// Groups of modules, each with settings of its own: what they do not agree on is not stated.
void read_groups(const Json& groups, QuantisationConfig& config) {
  bool first = true;
  for (const auto& [name, group] : groups.items()) {
    const Json* weights = child(group, "weights");
    if (weights == nullptr) continue;
    QuantisationConfig own;
    own.bits = number(*weights, {"num_bits"});
    own.group_size = number(*weights, {"group_size"});
    read_block(*weights, own);
    if (first || own.bits == config.bits)
      config.bits = own.bits;
    else
      config.bits.reset();
    if (first || own.group_size == config.group_size)
      config.group_size = own.group_size;
    else
      config.group_size.reset();
    if (first || own.block == config.block)
      config.block = own.block;
    else
      config.block.reset();
    first = false;
  }
}

QuantisationConfig read(const Json& from, std::string file) {
  QuantisationConfig config;
  config.file = std::move(file);
  config.method = word(from, {"quant_method", "quant_algo"});
  config.variant = word(from, {"checkpoint_format", "version"});
  if (flag(from, {"is_marlin_format"})) config.variant = "marlin";
  config.pack_dtype = word(from, {"pack_dtype"});
  config.bits = number(from, {"bits", "w_bit"});
  config.group_size = number(from, {"group_size", "q_group_size"});
  config.symmetric = flag(from, {"sym"});
  config.activation_order = flag(from, {"desc_act"});
  read_block(from, config);
  if (const Json* groups = child(from, "config_groups"); groups != nullptr && groups->is_object())
    read_groups(*groups, config);
  return config;
}

/// The object that speaks of quantisation in config.json.
const Json* in_config(const Json& root) {
  const Json* const text = child(root, "text_config");
  for (const Json* from : {&root, text})
    for (const char* key : {"quantization_config", "compression_config"}) {
      const Json* found = from == nullptr ? nullptr : child(*from, key);
      if (found != nullptr && found->is_object()) return found;
    }
  return nullptr;
}

Json side_file(const std::string& path, const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
  try {
    return Json::parse(strict_config(read_whole(path, limits::config_bytes), name), nullptr, false);
  } catch (const InvalidInput&) {
    return nullptr;
  }
}

struct SideFile {
  const char *name, *method;  ///< what a file means that names no method
};
constexpr std::array side_files{SideFile{"quantize_config.json", "gptq"},
                                SideFile{"quant_config.json", "awq"},
                                SideFile{"hf_quant_config.json", "modelopt"}};

}  // namespace

QuantisationConfig quantisation_config(const std::string& config, const std::string& directory) {
  if (config.empty()) return {};
  const Json root = Json::parse(config, nullptr, false);
  if (const Json* found = in_config(root)) return read(*found, "config.json");
  for (const SideFile& side : side_files) {
    const Json read_from = side_file(directory + "/" + side.name, side.name);
    if (!read_from.is_object()) continue;
    const Json* inner = child(read_from, "quantization");
    QuantisationConfig found = read(inner == nullptr ? read_from : *inner, side.name);
    if (found.method.empty()) found.method = side.method;
    return found;
  }
  return {};
}

}  // namespace stemma
