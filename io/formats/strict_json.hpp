// Is this text JSON in which two parsers cannot see two different things, and what does it say?
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/formats/limits.hpp"

namespace stemma {

/// Receives what a JSON text says, in order of appearance. Keys and strings arrive decoded.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual void begin_object() = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
  virtual void key(std::string_view text) = 0;
  virtual void string(std::string_view text) = 0;
  /// A number written in plain digits, below 2^64.
  virtual void integer(std::uint64_t value) = 0;
  /// null, true, false, or any other number: one with a sign, a fraction, an exponent or too many digits.
  virtual void null() = 0;
  virtual void other(std::string_view literal) = 0;
};

/// What can be wrong with a JSON text, most fundamental first: the first one that applies is reported.
enum class JsonFault : std::uint8_t {
  not_utf8,
  byte_order_mark,
  syntax,
  too_deep,
  duplicate_key,
  limit,
  number_range,  ///< a number that not even a double can hold; the text behind it was not scanned
};

struct JsonProblem {
  JsonFault fault;
  std::optional<std::size_t> byte;  ///< where in the text, if known
  std::string detail;
};

struct JsonLimits {
  std::size_t depth = limits::config_depth;
  std::size_t keys = limits::json_keys;  ///< of one object
  std::size_t string_bytes = limits::json_string_bytes;
};

/// Scans the whole text in linear time; nothing when it is sound. With a problem, what the handler has
/// received means nothing. The handler hears of nothing below limits.depth.
std::optional<JsonProblem> scan_json(std::string_view text, const JsonLimits& limits, JsonHandler& handler);

/// Stable identifier of a fault outside of tensor headers: "json.syntax", "json.duplicate_key", ...
std::string_view rule_of(JsonFault fault);

/// `text` with NaN, Infinity and -Infinity outside of strings replaced by null: Python writes them into
/// configurations, no JSON knows them.
std::string without_non_finite_literals(std::string_view text);

}  // namespace stemma
