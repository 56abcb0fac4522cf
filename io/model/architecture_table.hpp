// What does one family's table say, after `extends` was followed?
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/config/yaml.hpp"
#include "io/model/architecture_pattern.hpp"
#include "io/model/architecture_split.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// Axes of a stored tensor; canonical is (out, in), one expert after another.
enum class Layout : std::uint8_t { out_in, in_out, e_out_in, e_in_out };
inline bool is_stack(Layout layout) { return layout == Layout::e_out_in || layout == Layout::e_in_out; }
inline bool is_transposed(Layout layout) { return layout == Layout::in_out || layout == Layout::e_in_out; }

enum class Presence : std::uint8_t { none, optional, required };

/// Where a table says something: for messages.
struct TablePlace {
  std::string file;
  Place at;
};

/// A config key must hold one of the values, spelled as JSON spells them ("null" when the key is absent).
struct Condition {
  std::string key;
  std::vector<std::string> values;
};

/// The value of a dimension where the configuration holds certain values.
struct DimCase {
  std::vector<Condition> when;
  Expression value;
};

struct DimRule {
  std::string name;
  std::vector<DimCase> cases;     ///< before everything else: the first that holds
  std::vector<std::string> keys;  ///< of config.json, dotted keys descend
  std::optional<Expression> fallback;
  std::optional<Pattern> of;  ///< the tensor whose stored shape decides
  std::size_t axis = 0;
  std::optional<Expression> divisor;
  bool per_layer = false;  ///< another value in every layer
  TablePlace place;
};

/// Two tensors of one layer whose numbers of rows are equal in this family, or never are.
struct RowRule {
  Pattern of;
  Pattern other;
  bool equal = true;
};

/// One kind of tensor.
struct Entry {
  std::vector<Pattern> names;
  std::optional<Part> part;  ///< or a split
  std::optional<Split> split;
  std::vector<Expression> shape;  ///< canonical; empty: any
  Layout layout = Layout::out_in;
  Presence bias = Presence::none;
  bool optional = false;
  bool every_layer = true;
  bool tied_to_embed = false;
  std::string variant;                     ///< "" for all
  std::optional<int> offset;               ///< overrides the table's norm offset
  std::optional<Expression> paired_heads;  ///< how many heads have their rows stored pair by pair
  std::vector<Condition> when;
  bool padded = false;
  bool flat = false;  ///< a stack whose experts and rows are one axis of the stored tensor
  bool convolution = false;
  Stack stack = Stack::decoder;
  TablePlace place;

  /// The roles that it yields, in the order of the table.
  std::vector<Part> parts() const;
  bool has_layer() const { return names.front().has_layer(); }
  bool has_expert() const { return names.front().has_expert(); }
};

/// A name that a table knows, and for what.
struct KnownName {
  Spelling spelling;
  std::uint32_t entry = 0;
  bool bias = false;
};

/// A pattern, in all spellings and after all prefixes, with the folded key of each.
struct KeyedSpelling {
  std::string key;
  Spelling spelling;
};

struct Architecture {
  std::string file;
  std::size_t directory = 0;  ///< which of the directories given to load
  std::string family;
  std::string title;
  std::string replaces;
  std::string extends;
  TablePlace family_place;
  TablePlace replaces_place;
  TablePlace extends_place;

  std::vector<std::string> model_types;
  std::vector<std::string> class_names;  ///< `match.architectures`
  std::vector<Pattern> needs;
  std::vector<Pattern> refuses;
  std::vector<RowRule> rows;
  bool claimed = false;  ///< chosen only where config.json claims it: its names are those of another family
  std::vector<std::pair<Part, TablePlace>> drop;

  std::vector<std::string> nested;
  std::vector<std::string> prefixes;
  std::vector<DimRule> dims;
  std::optional<Rope> rope;
  std::optional<int> rotary_percent;  ///< of a head, where config.json does not say
  std::optional<NormKind> norm;
  int norm_offset = 0;
  std::vector<std::string> variants;
  std::vector<Entry> entries;
  std::vector<Pattern> others;  ///< known, not compared: vision towers, adapters between modalities
  std::vector<Pattern> ignore;
  YamlNode gguf;  ///< as written: the reader of that format interprets it

  // Derived by index_names.
  std::unordered_map<std::string, std::vector<KnownName>> names;  ///< by folded name
  std::vector<std::vector<KeyedSpelling>> needed;                 ///< per pattern of `needs`
  std::vector<std::vector<KeyedSpelling>> refused;
  std::vector<std::pair<std::vector<KeyedSpelling>, std::vector<KeyedSpelling>>>
      compared;  ///< per rule of `rows`
  std::vector<Spelling> other_names;
  std::vector<Spelling> ignored;

  const DimRule* dim(std::string_view name) const;
  bool varies_by_layer(const Expression& expression) const;  ///< it names a dimension that is `per_layer`
};

/// The name of the bias that belongs to a weight: ".weight" becomes ".bias", ".gamma" ".beta", "_weight"
/// "_bias", and "_proj" "_proj_bias". nullopt when the name has no such end.
std::optional<Pattern> bias_pattern(const Pattern& weight);

/// The table with everything that it takes over from `base`.
Architecture expanded(const Architecture& own, const Architecture& base);

/// How many spellings the table has, of tensors, biases and patterns to ignore, after all prefixes.
std::size_t number_of_spellings(const Architecture& table);

/// Fills the derived members.
void index_names(Architecture& table);

/// Every spelling of a pattern after no prefix and after each of the table's.
std::vector<KeyedSpelling> keyed_spellings(const Pattern& pattern, const Architecture& table);

}  // namespace stemma
