// Which keys does a run configuration have? Declared once: reader, schema, reference page and help are made
// from it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/config/run_config.hpp"
#include "io/config/yaml_values.hpp"

namespace stemma {

enum class KeyType : std::uint8_t {
  section,    ///< a mapping with a closed set of keys
  questions,  ///< a mapping NAME: {options}; the names present run
  question,   ///< one of them
  text,
  texts,       ///< one text, or a list of them
  identifier,  ///< a text that becomes a file name
  integer,
  real,
  boolean,
  choice,
  size,
  size_or_auto,
  duration,
  moment,       ///< see moment.hpp
  output_path,  ///< relative to the working directory
  input_path,   ///< relative to the file that names it
  input_paths,
  word_or_path,  ///< one of the choices, or an input path
  models,
  axes  ///< of a sweep: keys with lists of their values
};

/// A value on its way between YAML and RunConfig. monostate: `auto`, or a question that does not run.
/// Integers carry sizes in bytes and durations in seconds too; a choice is its word.
using KeyValue =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct Key {
  std::string path;  ///< dotted
  KeyType type = KeyType::section;
  std::string meaning = {};
  std::string consumer = {};  ///< who acts on it
  std::vector<std::string> choices = {};
  std::int64_t lowest = 0;  ///< of integer, size, duration
  std::int64_t highest = INT64_MAX;
  double lowest_real = 0;  ///< of real
  double highest_real = 1;
  std::string reason = {};  ///< why values outside make no sense
  bool required = false;
  bool changes_results = true;        ///< false: how a run behaves, where it goes and how it is shown
  std::string computed_default = {};  ///< where the default is not a value: "the file's name without .yaml"
  std::string fixed = {};  ///< why all points of a sweep have one value; "" for a key that may vary
  std::function<void(RunConfig&, const KeyValue&)> set = {};
  std::function<KeyValue(const RunConfig&)> value = {};
};

/// All keys; a section stands before its keys, and keys of one section stand together.
const std::vector<Key>& key_table();

/// The keys directly below a section, "" for the top.
std::vector<const Key*> keys_below(std::string_view section);

/// May a sweep vary this key? Sections and questions are no single values, and some keys are fixed.
bool may_vary(const Key& key);

/// "labels" of "report.labels".
std::string_view last_step(std::string_view path);

/// The default as it would be written in YAML; "" for sections and required keys.
std::string printed_default(const Key& key);
/// A value of this key as it is written in YAML. Texts are quoted where needed.
std::string printed(const Key& key, const KeyValue& value);
/// The same for a cell of a table: a text stands for itself.
std::string bare(const Key& key, const KeyValue& value);
/// "Quoted" for YAML and JSON alike.
std::string quoted_text(std::string_view text);

inline constexpr std::string_view identifier_pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
bool is_run_name(std::string_view text);

}  // namespace stemma
