// Patterns are matched by hand: names come from strangers, and std::regex takes its time and stack.
#include "io/model/architecture_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "io/model/digits.hpp"

namespace stemma {
namespace {

constexpr std::size_t longest_pattern = 256;
constexpr int most_optional_parts = 4;
constexpr std::size_t most_digits = 6;

/// Position behind the token when `name` goes on with it at `at`.
std::optional<std::size_t> step(const PatternToken& token, std::string_view name, std::size_t at,
                                Binding& found) {
  if (token.kind == PatternToken::Kind::text) {
    if (!name.substr(at).starts_with(token.text)) return std::nullopt;
    return at + token.text.size();
  }
  std::size_t end = at;
  int value = 0;
  while (end < name.size() && is_digit(name[end])) {
    if (end - at == most_digits) return std::nullopt;
    value = 10 * value + (name[end] - '0');
    ++end;
  }
  if (end == at || (end > at + 1 && name[at] == '0')) return std::nullopt;
  (token.kind == PatternToken::Kind::layer ? found.layer : found.expert) = value;
  return end;
}

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

}  // namespace

std::optional<Binding> Spelling::match(std::string_view name) const {
  constexpr auto none = static_cast<std::size_t>(-1);
  Binding found;
  std::size_t token = 0;
  std::size_t at = 0;
  std::size_t star =
      none;  // only the last `*` ever needs to take more: an earlier one could gain nothing by it
  std::size_t star_at = 0;
  while (token < tokens_.size() || at < name.size()) {
    if (token < tokens_.size()) {
      if (tokens_[token].kind == PatternToken::Kind::any) {
        star = token++;
        star_at = at;
        continue;
      }
      if (const auto next = step(tokens_[token], name, at, found)) {
        at = *next;
        ++token;
        continue;
      }
    }
    if (star == none || star_at == name.size()) return std::nullopt;
    at = ++star_at;
    token = star + 1;
  }
  return found;
}

std::string Spelling::instance(int layer, int expert) const {
  std::string name;
  for (const PatternToken& token : tokens_) {
    switch (token.kind) {
      case PatternToken::Kind::text:
        name += token.text;
        break;
      case PatternToken::Kind::layer:
        name += std::to_string(layer);
        break;
      case PatternToken::Kind::expert:
        name += std::to_string(expert);
        break;
      case PatternToken::Kind::any:
        name += '*';
        break;
    }
  }
  return name;
}

bool Spelling::has_touching_numbers() const {
  const auto is_number = [](const PatternToken& token) {
    return token.kind == PatternToken::Kind::layer || token.kind == PatternToken::Kind::expert;
  };
  for (std::size_t i = 1; i < tokens_.size(); ++i) {
    const PatternToken& left = tokens_[i - 1];
    const PatternToken& right = tokens_[i];
    const bool left_digit = is_number(left) || (!left.text.empty() && is_digit(left.text.back()));
    const bool right_digit = is_number(right) || (!right.text.empty() && is_digit(right.text.front()));
    if (left_digit && right_digit && (is_number(left) || is_number(right))) return true;
  }
  return false;
}

std::string Spelling::key() const { return fold_numbers(instance(7, 3)); }

Pattern Pattern::parse(std::string_view text, Stars stars) {
  if (text.empty()) refuse("a pattern cannot be empty");
  if (text.size() > longest_pattern)
    refuse(fmt::format("a pattern has at most {} characters", longest_pattern));
  Pattern pattern;
  pattern.text_ = text;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) pattern.elements_.push_back({{PatternToken::Kind::text, literal}, false});
    literal.clear();
  };
  int optional_parts = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[') {
      const auto close = text.find(']', i);
      if (close == std::string_view::npos) refuse("[ has no closing ]");
      const std::string_view inside = text.substr(i + 1, close - i - 1);
      if (inside.empty()) refuse("[] is an empty optional part");
      if (inside.find_first_of("[{}*") != std::string_view::npos) {
        refuse(fmt::format("[{}] is not plain text (an optional part holds no brackets, braces or stars)",
                           inside));
      }
      if (++optional_parts > most_optional_parts) {
        refuse(fmt::format("more than {} optional parts", most_optional_parts));
      }
      flush();
      pattern.elements_.push_back({{PatternToken::Kind::text, std::string(inside)}, true});
      i = close;
    } else if (c == '{') {
      const auto close = text.find('}', i);
      if (close == std::string_view::npos) refuse("{ has no closing }");
      const std::string_view inside = text.substr(i + 1, close - i - 1);
      if (inside != "layer" && inside != "expert") {
        refuse(fmt::format("{{{}}} is unknown. A pattern can ask for {{layer}} and {{expert}}", inside));
      }
      bool& seen = inside == "layer" ? pattern.has_layer_ : pattern.has_expert_;
      if (seen) refuse(fmt::format("{{{}}} occurs twice", inside));
      seen = true;
      flush();
      pattern.elements_.push_back(
          {{inside == "layer" ? PatternToken::Kind::layer : PatternToken::Kind::expert, ""}, false});
      i = close;
    } else if (c == '*') {
      if (stars == Stars::refused) refuse("* is allowed under ignore and others only");
      flush();
      pattern.elements_.push_back({{PatternToken::Kind::any, ""}, false});
    } else if (c == ']' || c == '}') {
      refuse(fmt::format("{} closes nothing", c));
    } else if (c <= ' ' || c > '~') {
      refuse("a pattern is printable ASCII without blanks");
    } else {
      literal += c;
    }
  }
  flush();
  pattern.check_neighbours();
  return pattern;
}

void Pattern::check_neighbours() const {
  for (const Spelling& spelling : spellings()) {
    if (spelling.has_touching_numbers())
      refuse("a number stands beside another digit (they would run together)");
  }
}

std::size_t Pattern::number_of_spellings() const {
  const auto optional =
      std::count_if(elements_.begin(), elements_.end(), [](const Element& e) { return e.optional; });
  return std::size_t{1} << optional;
}

std::vector<Spelling> Pattern::spellings(std::string_view prefix) const {
  std::vector<Spelling> all;
  for (std::size_t choice = 0; choice < number_of_spellings(); ++choice) {
    std::vector<PatternToken> tokens;
    if (!prefix.empty()) tokens.push_back({PatternToken::Kind::text, std::string(prefix)});
    std::size_t bit = 0;
    for (const Element& element : elements_) {
      if (element.optional && (choice >> bit++ & 1U) == 0) continue;
      tokens.push_back(element.token);
    }
    all.emplace_back(std::move(tokens));
  }
  return all;
}

std::string fold_numbers(std::string_view name) {
  std::string key;
  key.reserve(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_digit(name[i])) {
      key += name[i];
    } else if (i == 0 || !is_digit(name[i - 1])) {
      key += '#';
    }
  }
  return key;
}

}  // namespace stemma
