// How is a configuration written out in full, so that it reads back to the same value from anywhere?
#include <fmt/format.h>

#include "io/config/key_advice.hpp"
#include "io/config/key_table.hpp"
#include "io/config/run_config.hpp"

namespace stemma {
namespace {

std::string printed_entry(const ModelListing& entry) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view key, const std::string& text) {
    if (!text.empty()) parts.push_back(fmt::format("{}: {}", key, quoted_text(text)));
  };
  add(model_kinds().at(static_cast<std::size_t>(entry.kind)), entry.location);
  add("id", entry.id);
  add("label", entry.label);
  if (!entry.base.empty()) {
    std::vector<std::string> bases;
    for (const std::string& base : entry.base) bases.push_back(quoted_text(base));
    parts.push_back(fmt::format("base: [{}]", fmt::join(bases, ", ")));
  }
  add("relation", entry.relation);
  add("family", entry.family);
  parts.push_back(fmt::format("use: {}", use_names().at(static_cast<std::size_t>(entry.use))));
  add("revision", entry.revision);
  add("variant", entry.variant);
  add("architecture", entry.architecture);
  add("on", entry.on);
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

/// Which keys are written.
enum class Keys : std::uint8_t { all, of_results };

void write_section(const RunConfig& config, Keys keys, std::string_view section, std::size_t depth,
                   std::string& out) {
  for (const Key* key : keys_below(section)) {
    if (keys == Keys::of_results && !key->changes_results) continue;
    if (key->path == "sweep") continue;  // what is resolved is one run
    const std::string begin = std::string(2 * depth, ' ') + std::string(last_step(key->path)) + ":";
    const bool off =
        key->type == KeyType::question && std::holds_alternative<std::monostate>(key->value(config));
    const bool is_path = key->type == KeyType::input_path || key->type == KeyType::output_path;
    const bool unset = is_path && std::get<std::string>(key->value(config)).empty();
    if (off || unset) continue;
    if (key->type == KeyType::models) {
      out += begin + "\n";
      for (const ModelListing& entry : config.models) out += "  - " + printed_entry(entry) + "\n";
      continue;
    }
    if (key->value && key->type != KeyType::question) {
      out += begin + " " + printed(*key, key->value(config)) + "\n";
      continue;
    }
    std::string below;
    write_section(config, keys, key->path, depth + 1, below);
    // Where no question runs, the analyzers leave none: nobody could have written that down.
    if (key->type == KeyType::questions && below.empty()) continue;
    out += begin + (below.empty() ? " {}\n" : "\n" + below);
  }
}

}  // namespace

std::string resolved_yaml(const RunConfig& config) {
  std::string out;
  write_section(config, Keys::all, "", 0, out);
  return out;
}

std::string results_yaml(const RunConfig& config) {
  std::string out;
  write_section(config, Keys::of_results, "", 0, out);
  return out;
}

}  // namespace stemma
