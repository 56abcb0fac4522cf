// What number does an expression of a table give, for the dimensions of one model?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// Dimensions of a model by name: hidden, heads, ...
using Dims = std::map<std::string, std::int64_t, std::less<>>;

/// Integers, names of dimensions, + - * / and parentheses; at most 64 characters. Division must be exact, and
/// no intermediate result may overflow.
class Expression {
 public:
  struct Value {
    std::optional<std::int64_t> number;
    std::string why;          ///< when there is no number: "heads is not known", "4096 / 3 is not whole"
    bool unresolved = false;  ///< there is no number because a name has none
  };

  /// Throws std::invalid_argument with a sentence that says what is wrong.
  static Expression parse(std::string_view text);

  Value evaluate(const Dims& dims) const;
  const std::string& text() const { return text_; }
  const std::vector<std::string>& names() const { return names_; }  ///< in order of appearance
  /// The one name that it consists of.
  std::optional<std::string> as_name() const;

 private:
  friend class ExpressionParser;
  enum class Op : std::uint8_t { number, name, add, subtract, multiply, divide };
  struct Step {
    Op op = Op::number;
    std::int64_t number = 0;  ///< the constant, or an index into names_
  };
  std::string text_;
  std::vector<std::string> names_;
  std::vector<Step> steps_;  ///< postfix
};

}  // namespace stemma
