// One reading of a configuration text, with whatever came of it: the value, or the sentences of its problems.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/config/run_config.hpp"

namespace stemma {

/// The two keys that every configuration has.
inline const std::string head = "schema_version: 1\nmodels: [/m]\n";

inline Environment fixed_environment(std::map<std::string, std::string> values = {}) {
  return [values](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

struct Reading {
  explicit Reading(const std::string& text, const std::vector<std::string>& arguments = {},
                   std::map<std::string, std::string> environment = {},
                   const std::string& file = "/etc/a.yaml") {
    std::vector<Override> overrides;
    for (const std::string& argument : arguments) {
      overrides.push_back({argument, "argument " + std::to_string(overrides.size() + 1)});
    }
    try {
      config = parse_run_config(text, file, overrides, notes, fixed_environment(std::move(environment)));
    } catch (const ConfigProblems& error) {
      for (const Problem& problem : error.problems()) problems.push_back(sentence(problem));
    }
  }
  std::optional<RunConfig> config;
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

}  // namespace stemma
