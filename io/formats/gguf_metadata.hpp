// What do the keys and values at the head of a GGUF file say?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "io/formats/gguf_cursor.hpp"

namespace stemma {

/// How a value is written. The numbers are those of the format.
enum class GgufKind : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64
};

/// A value that was kept: a number, a text of at most 1 KiB, or some whole numbers.
struct GgufValue {
  GgufKind kind = GgufKind::u8;
  std::variant<std::monostate, std::uint64_t, std::int64_t, double, std::string, std::vector<std::int64_t>>
      value;
  std::uint64_t elements = 1;  ///< of an array, kept or not
};

class GgufMetadata {
 public:
  /// Reads `pairs` keys with their values. Long texts, and arrays other than of at most 4,096 whole numbers,
  /// are skipped: only their kind and length are known. Findings are notes. Throws InvalidInput
  /// (gguf.string, gguf.kv_type, gguf.kv_nested_array, gguf.kv_array, gguf.kv_bool, gguf.kv_bytes,
  /// gguf.duplicate_key, gguf.truncated). Memory is linear in what is kept, time in the number of elements.
  static GgufMetadata read(GgufCursor& cursor, std::uint64_t pairs, std::vector<Finding>& findings);

  const GgufValue* find(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  /// A whole number, not negative.
  std::optional<std::uint64_t> count(std::string_view key) const;
  /// One whole number, or that which all elements of an array have in common that are not 0.
  std::optional<std::uint64_t> common_count(std::string_view key) const;
  /// Any number.
  std::optional<double> number(std::string_view key) const;

 private:
  std::map<std::string, GgufValue, std::less<>> values_;
};

struct GgufArray {
  GgufKind kind = GgufKind::u8;  ///< of its elements
  std::uint64_t elements = 0;
};

/// Moves to the first element of the array at `key`, among `pairs` pairs; nothing when there is no such
/// array. Throws as GgufMetadata::read.
std::optional<GgufArray> find_gguf_array(GgufCursor& cursor, std::uint64_t pairs, std::string_view key);

}  // namespace stemma
