// The JSON grammar is nlohmann's; depth, duplicates, encoding and numbers are judged here.
#include "io/formats/strict_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/model/utf8.hpp"

namespace stemma {
namespace {

constexpr int number_out_of_range = 406;  // nlohmann's number of "finite in JSON, infinite as double"

/// The interface that nlohmann's SAX parser calls. It never stops early: a more fundamental fault may follow.
class Scanner {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Scanner(const JsonLimits& json_limits, JsonHandler& handler) : limits_(json_limits), handler_(handler) {}

  const std::optional<JsonProblem>& problem() const { return problem_; }

  bool null() {
    return tell([&] { handler_.null(); });
  }
  bool boolean(bool value) {
    return tell([&] { handler_.other(value ? "true" : "false"); });
  }
  // Called for every literal with a minus, "-0" too.
  bool number_integer(number_integer_t value) {
    return tell([&] { handler_.other(value == 0 ? "-0" : fmt::format("{}", value)); });
  }
  bool number_unsigned(number_unsigned_t value) {
    return tell([&] { handler_.integer(value); });
  }
  bool number_float(number_float_t, const string_t& literal) {
    return tell([&] { handler_.other(literal); });
  }
  static bool binary(binary_t&) { return false; }  // JSON text has none

  bool string(string_t& text) {
    require_length(text);
    return tell([&] { handler_.string(text); });
  }

  bool key(string_t& text) {
    require_length(text);
    if (!within()) return true;
    Scope& scope = scopes_.back();
    if (scope.keys.size() >= limits_.keys) {
      note(JsonFault::limit, fmt::format("an object has more than {} keys", limits_.keys));
    } else {
      scope.keys.push_back(text);
    }
    handler_.key(text);
    return true;
  }

  bool start_object(std::size_t) {
    return enter([&] { handler_.begin_object(); });
  }
  bool start_array(std::size_t) {
    return enter([&] { handler_.begin_array(); });
  }
  bool end_object() {
    return leave([&] {
      std::vector<std::string>& keys = scopes_.back().keys;
      std::sort(keys.begin(), keys.end());  // not hashed: an attacker may choose the keys
      const auto twice = std::adjacent_find(keys.begin(), keys.end());
      if (twice != keys.end()) note(JsonFault::duplicate_key, *twice);
      handler_.end_object();
    });
  }
  bool end_array() {
    return leave([&] { handler_.end_array(); });
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    if (error.id == number_out_of_range) {
      note(JsonFault::number_range, "a number is too large");
    } else {
      note(JsonFault::syntax, "the text breaks the JSON grammar", position == 0 ? 0 : position - 1);
    }
    return false;
  }

 private:
  struct Scope {
    std::vector<std::string> keys;
  };

  bool within() const { return depth_ <= limits_.depth; }

  template <class Call>
  bool tell(const Call& call) {
    if (within()) call();
    return true;
  }

  template <class Call>
  bool enter(const Call& call) {
    ++depth_;
    if (!within()) {
      note(JsonFault::too_deep, fmt::format("values are nested more than {} deep", limits_.depth));
      return true;
    }
    scopes_.emplace_back();
    call();
    return true;
  }

  template <class Call>
  bool leave(const Call& call) {
    if (within()) {
      call();
      scopes_.pop_back();
    }
    --depth_;
    return true;
  }

  void require_length(const std::string& text) {
    if (text.size() > limits_.string_bytes) {
      note(JsonFault::limit, fmt::format("a string is longer than {} bytes", limits_.string_bytes));
    }
  }

  void note(JsonFault fault, std::string detail, std::optional<std::size_t> byte = std::nullopt) {
    if (!problem_ || fault < problem_->fault) problem_ = JsonProblem{fault, byte, std::move(detail)};
  }

  const JsonLimits& limits_;
  JsonHandler& handler_;
  std::size_t depth_ = 0;
  std::vector<Scope> scopes_;
  std::optional<JsonProblem> problem_;
};

bool continues_a_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::optional<JsonProblem> scan_json(std::string_view text, const JsonLimits& limits, JsonHandler& handler) {
  const std::size_t invalid = first_invalid_utf8(text);
  if (invalid < text.size()) return JsonProblem{JsonFault::not_utf8, invalid, "the text is not UTF-8"};
  if (text.starts_with("\xEF\xBB\xBF")) {
    return JsonProblem{JsonFault::byte_order_mark, 0, "the text begins with a byte-order mark"};
  }
  const std::size_t nul = text.find('\0');  // the library would take it for the end of the text
  if (nul != std::string_view::npos) return JsonProblem{JsonFault::syntax, nul, "the text holds a NUL byte"};
  // The library would copy every blank before and behind the value; a header may hold 100 MB of them.
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(blank), text.size());
  const std::string_view value = text.substr(begin, text.find_last_not_of(blank) + 1 - begin);

  Scanner scanner(limits, handler);
  nlohmann::json::sax_parse(value.begin(), value.end(), &scanner);
  std::optional<JsonProblem> problem = scanner.problem();
  if (problem && problem->byte) *problem->byte += begin;
  return problem;
}

std::string_view rule_of(JsonFault fault) {
  switch (fault) {
    case JsonFault::not_utf8:
      return "json.not_utf8";
    case JsonFault::byte_order_mark:
      return "json.byte_order_mark";
    case JsonFault::syntax:
      return "json.syntax";
    case JsonFault::too_deep:
      return "json.too_deep";
    case JsonFault::duplicate_key:
      return "json.duplicate_key";
    case JsonFault::limit:
      return "json.limit";
    case JsonFault::number_range:
      return "json.number_range";
  }
  return "json.syntax";
}

std::string without_non_finite_literals(std::string_view text) {
  constexpr std::array<std::string_view, 3> literals{"-Infinity", "Infinity", "NaN"};
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  while (!text.empty()) {
    const char c = text.front();
    std::size_t length = 1;
    if (in_string && c == '\\') {
      length = std::min<std::size_t>(2, text.size());
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (out.empty() || !continues_a_word(out.back()))) {
      const auto literal = std::find_if(literals.begin(), literals.end(), [&](std::string_view candidate) {
        return text.starts_with(candidate) &&
               (text.size() == candidate.size() || !continues_a_word(text[candidate.size()]));
      });
      if (literal != literals.end()) {
        out += "null";
        text.remove_prefix(literal->size());
        continue;
      }
    }
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace stemma
