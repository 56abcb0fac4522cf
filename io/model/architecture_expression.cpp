// Recursive descent to postfix; evaluation with checked arithmetic.
#include "io/model/architecture_expression.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "io/model/digits.hpp"

namespace stemma {
namespace {

constexpr std::size_t longest_expression = 64;

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

}  // namespace

/// expression = term {(+|-) term};  term = factor {(*|/) factor};  factor = integer | name | ( expression )
class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) { out_.text_ = text; }

  Expression parse() {
    if (text_.size() > longest_expression)
      refuse(fmt::format("an expression has at most {} characters", longest_expression));
    expression();
    if (at_ < text_.size()) refuse(fmt::format("'{}' is not expected at position {}", text_[at_], at_ + 1));
    return std::move(out_);
  }

 private:
  using Op = Expression::Op;

  [[noreturn]] static void refuse(const std::string& what) { throw std::invalid_argument(what); }

  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expression() {
    term();
    for (char c = peek(); c == '+' || c == '-'; c = peek()) {
      ++at_;
      term();
      out_.steps_.push_back({c == '+' ? Op::add : Op::subtract, 0});
    }
  }

  void term() {
    factor();
    for (char c = peek(); c == '*' || c == '/'; c = peek()) {
      ++at_;
      factor();
      out_.steps_.push_back({c == '*' ? Op::multiply : Op::divide, 0});
    }
  }

  void factor() {
    const char c = peek();
    if (c == '(') {
      ++at_;
      expression();
      if (peek() != ')') refuse("( has no closing )");
      ++at_;
    } else if (is_digit(c)) {
      integer();
    } else if (begins_name(c)) {
      name();
    } else {
      refuse(c == '\0' ? "the expression ends where a number or a dimension is expected"
                       : fmt::format("'{}' is not a number or the name of a dimension", c));
    }
  }

  void integer() {
    std::int64_t value = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[at_] - '0', &value)) {
        refuse("the number is too large");
      }
    }
    out_.steps_.push_back({Op::number, value});
  }

  void name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (begins_name(text_[at_]) || is_digit(text_[at_]))) ++at_;
    out_.steps_.push_back({Op::name, static_cast<std::int64_t>(out_.names_.size())});
    out_.names_.emplace_back(text_.substr(begin, at_ - begin));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Expression out_;
};

Expression Expression::parse(std::string_view text) { return ExpressionParser(text).parse(); }

Expression::Value Expression::evaluate(const Dims& dims) const {
  std::vector<std::int64_t> stack;
  const auto none = [](std::string why, bool unresolved = false) {
    return Value{std::nullopt, std::move(why), unresolved};
  };
  for (const Step& step : steps_) {
    if (step.op == Op::number) {
      stack.push_back(step.number);
      continue;
    }
    if (step.op == Op::name) {
      const std::string& name = names_[static_cast<std::size_t>(step.number)];
      const auto found = dims.find(name);
      if (found == dims.end()) return none(name + " is not known", true);
      stack.push_back(found->second);
      continue;
    }
    const std::int64_t b = stack.back();
    stack.pop_back();
    std::int64_t& a = stack.back();
    if (step.op == Op::divide) {
      if (b == 0) return none(fmt::format("{} / 0 has no value", a));
      if (a == INT64_MIN && b == -1) return none("the result is too large");
      if (a % b != 0) return none(fmt::format("{} / {} is not whole", a, b));
      a /= b;
      continue;
    }
    const bool overflow = step.op == Op::add        ? __builtin_add_overflow(a, b, &a)
                          : step.op == Op::subtract ? __builtin_sub_overflow(a, b, &a)
                                                    : __builtin_mul_overflow(a, b, &a);
    if (overflow) return none("the result is too large");
  }
  return {stack.back(), "", false};
}

std::optional<std::string> Expression::as_name() const {
  if (steps_.size() != 1 || steps_.front().op != Op::name) return std::nullopt;
  return names_.front();
}

}  // namespace stemma
