// Does a tensor name fit a pattern, and which layer and expert does it speak of?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// The numbers that a pattern found in a name; -1 where it asks for none.
struct Binding {
  int layer = -1;
  int expert = -1;
};

struct PatternToken {
  enum class Kind : std::uint8_t { text, layer, expert, any };
  Kind kind = Kind::text;
  std::string text;
};

/// One way to write a pattern: no optional parts are left. Matching is linear in the name for the patterns of
/// tensors, and at most name length times pattern length where `*` occurs.
class Spelling {
 public:
  explicit Spelling(std::vector<PatternToken> tokens) : tokens_(std::move(tokens)) {}

  /// Anchored at both ends. Numbers are decimal, without leading zero, of at most 6 digits.
  std::optional<Binding> match(std::string_view name) const;
  /// The name of one layer and expert.
  std::string instance(int layer, int expert) const;
  /// What fold_numbers gives for every name that can match; meaningless for spellings with `*`.
  std::string key() const;
  /// A {layer} or {expert} beside another digit could be read in two ways.
  bool has_touching_numbers() const;

 private:
  std::vector<PatternToken> tokens_;
};

/// Literal text with at most one {layer} and one {expert}, and `[literal]` for text that may be absent.
class Pattern {
 public:
  enum class Stars : std::uint8_t { refused, allowed };

  /// Throws std::invalid_argument with a sentence that says what is wrong.
  static Pattern parse(std::string_view text, Stars stars = Stars::refused);

  const std::string& text() const { return text_; }
  bool has_layer() const { return has_layer_; }
  bool has_expert() const { return has_expert_; }
  /// All ways to write it, each after `prefix`.
  std::vector<Spelling> spellings(std::string_view prefix = "") const;
  std::size_t number_of_spellings() const;
  bool operator==(const Pattern& other) const { return text_ == other.text_; }

 private:
  struct Element {
    PatternToken token;
    bool optional = false;
  };
  void check_neighbours() const;

  std::string text_;
  std::vector<Element> elements_;
  bool has_layer_ = false;
  bool has_expert_ = false;
};

/// The name with every run of digits replaced by '#': names of one tensor in all layers become one key, so
/// that a table is asked once per kind of tensor and not once per tensor.
std::string fold_numbers(std::string_view name);

}  // namespace stemma
