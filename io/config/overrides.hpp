// How do key=value arguments change a configuration?
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "io/config/yaml.hpp"

namespace stemma {

/// One change from outside of the file. `place` stands in messages instead of file and line: "argument 3".
struct Override {
  std::string text;  ///< key=value, key+=value or ~key
  std::string place;
};

/// Is this command line argument an override? A file of such a name is written ./a=b.
bool is_override(std::string_view argument);

/// Applies one override to the tree. Values are YAML; key+=value appends to a list, ~key removes; steps of a
/// key are names and [index], and what follows sweep.over is one name with dots; mappings on the way are made
/// when they are absent.
void apply_override(YamlNode& root, const Override& change, Complaints& complaints);

/// Puts a value where a key of names and dots leads. Keys that are made on the way get the place `at`.
void set_value(YamlNode& root, std::string_view key, YamlNode value, const Place& at, Complaints& complaints);

}  // namespace stemma
