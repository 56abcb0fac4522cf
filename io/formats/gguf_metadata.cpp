// One pass over the pairs: small values are kept, everything else is stepped over.
#include "io/formats/gguf_metadata.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <set>

#include "io/formats/limits.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t most_kept_elements = 4'096;
constexpr std::uint64_t most_kept_key = 256;

struct KindRow {
  std::string_view name;
  std::uint64_t bytes;  ///< of one; the least of a string
};
constexpr std::array<KindRow, 13> kinds{{{"u8", 1},
                                         {"i8", 1},
                                         {"u16", 2},
                                         {"i16", 2},
                                         {"u32", 4},
                                         {"i32", 4},
                                         {"f32", 4},
                                         {"bool", 1},
                                         {"string", 8},
                                         {"array", 12},
                                         {"u64", 8},
                                         {"i64", 8},
                                         {"f64", 8}}};

GgufKind read_kind(GgufCursor& cursor) {
  const std::uint64_t begin = cursor.at();
  const auto code = cursor.number<std::uint32_t>();
  if (code >= kinds.size())
    cursor.refuse("gguf.kv_type", begin, fmt::format("type {} of a value", code), "0 to 12",
                  "what follows cannot be found: the file is damaged, or newer than this version");
  return static_cast<GgufKind>(code);
}

bool is_whole(GgufKind kind) {
  return kind != GgufKind::f32 && kind != GgufKind::f64 && kind != GgufKind::string &&
         kind != GgufKind::array;
}

/// A number, as wide as it can be; a bool is 0 or 1.
decltype(GgufValue::value) read_number(GgufCursor& cursor, GgufKind kind) {
  switch (kind) {
    case GgufKind::u8:
      return std::uint64_t{cursor.number<std::uint8_t>()};
    case GgufKind::i8:
      return std::int64_t{cursor.number<std::int8_t>()};
    case GgufKind::u16:
      return std::uint64_t{cursor.number<std::uint16_t>()};
    case GgufKind::i16:
      return std::int64_t{cursor.number<std::int16_t>()};
    case GgufKind::u32:
      return std::uint64_t{cursor.number<std::uint32_t>()};
    case GgufKind::i32:
      return std::int64_t{cursor.number<std::int32_t>()};
    case GgufKind::f32:
      return double{cursor.number<float>()};
    case GgufKind::u64:
      return cursor.number<std::uint64_t>();
    case GgufKind::i64:
      return cursor.number<std::int64_t>();
    case GgufKind::f64:
      return cursor.number<double>();
    case GgufKind::boolean: {
      const std::uint64_t begin = cursor.at();
      const auto byte = cursor.number<std::uint8_t>();
      if (byte > 1) cursor.refuse("gguf.kv_bool", begin, fmt::format("{}", byte), "0 or 1");
      return std::uint64_t{byte};
    }
    case GgufKind::string:
    case GgufKind::array:
      break;
  }
  return std::monostate{};
}

std::int64_t as_signed(const decltype(GgufValue::value)& value) {
  if (const auto* natural = std::get_if<std::uint64_t>(&value))
    return *natural > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(*natural);
  return std::get<std::int64_t>(value);
}

/// Element kind and number of elements, which fit into the rest of the file.
GgufArray read_array_head(GgufCursor& cursor) {
  const std::uint64_t begin = cursor.at();
  const GgufKind kind = read_kind(cursor);
  if (kind == GgufKind::array)
    cursor.refuse("gguf.kv_nested_array", begin, "an array of arrays", "numbers or strings");
  const auto elements = cursor.number<std::uint64_t>();
  const std::uint64_t most =
      std::min(limits::gguf_array_elements, cursor.remaining() / kinds[static_cast<std::size_t>(kind)].bytes);
  if (elements > most)
    cursor.refuse("gguf.kv_array", begin, fmt::format("{} elements", elements),
                  fmt::format("at most {}", most), "the file was cut off or is damaged; fetch it again");
  return {kind, elements};
}

GgufValue read_array(GgufCursor& cursor) {
  const auto [kind, elements] = read_array_head(cursor);
  GgufValue array{.kind = GgufKind::array, .value = {}, .elements = elements};
  if (kind == GgufKind::string) {
    for (std::uint64_t i = 0; i < elements; ++i) cursor.skip_string();
  } else if (kind == GgufKind::boolean || (is_whole(kind) && elements <= most_kept_elements)) {
    std::vector<std::int64_t> kept;
    for (std::uint64_t i = 0; i < elements; ++i) {
      const std::int64_t value = as_signed(read_number(cursor, kind));
      if (elements <= most_kept_elements) kept.push_back(value);
    }
    if (elements <= most_kept_elements) array.value = std::move(kept);
  } else {
    cursor.skip(elements * kinds[static_cast<std::size_t>(kind)].bytes);
  }
  return array;
}

GgufValue read_value(GgufCursor& cursor) {
  const GgufKind kind = read_kind(cursor);
  if (kind == GgufKind::array) return read_array(cursor);
  if (kind != GgufKind::string) return {.kind = kind, .value = read_number(cursor, kind)};
  GgufValue text{.kind = kind, .value = {}};
  const std::uint64_t length = cursor.string_length();
  if (length <= limits::claim_bytes)
    text.value = cursor.text(length);
  else
    cursor.skip(length);
  return text;
}

std::string read_key(GgufCursor& cursor) {
  const std::uint64_t begin = cursor.at(), length = cursor.string_length();
  if (length < 1 || length > limits::gguf_key_bytes)
    cursor.refuse("gguf.string", begin, fmt::format("a key of {} bytes", length),
                  fmt::format("1 to {}", limits::gguf_key_bytes));
  return cursor.text(length);
}

}  // namespace

GgufMetadata GgufMetadata::read(GgufCursor& cursor, std::uint64_t pairs, std::vector<Finding>& findings) {
  GgufMetadata metadata;
  const std::uint64_t begin = cursor.at();
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;  // hashes: keys may be long
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::uint64_t key_at = cursor.at();
    std::string key = read_key(cursor);
    const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
    if (!seen.emplace(hash.high64, hash.low64).second)
      cursor.refuse("gguf.duplicate_key", key_at, printable(key), "every key once");
    if (!std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; })) {
      Finding note = cursor.finding("gguf_key_charset", key_at, printable(key), "printable ASCII");
      note.severity = Severity::note;
      findings.push_back(std::move(note));
    }
    GgufValue value = read_value(cursor);
    if (cursor.at() - begin > limits::gguf_metadata_bytes)
      cursor.refuse("gguf.kv_bytes", begin, fmt::format("more than {} bytes", limits::gguf_metadata_bytes),
                    "keys and values of at most 1 GiB");
    if (key.size() <= most_kept_key) metadata.values_.emplace(std::move(key), std::move(value));
  }
  return metadata;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::string> GgufMetadata::text(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->value);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::uint64_t> GgufMetadata::count(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr || value->kind == GgufKind::boolean) return std::nullopt;
  if (const auto* natural = std::get_if<std::uint64_t>(&value->value)) return *natural;
  const auto* whole = std::get_if<std::int64_t>(&value->value);
  return whole == nullptr || *whole < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*whole));
}

std::optional<std::uint64_t> GgufMetadata::common_count(std::string_view key) const {
  const GgufValue* value = find(key);
  const auto* array = value == nullptr ? nullptr : std::get_if<std::vector<std::int64_t>>(&value->value);
  if (array == nullptr) return count(key);
  std::optional<std::uint64_t> common;
  for (const std::int64_t element : *array) {
    if (element == 0) continue;
    if (element < 0 || (common && *common != static_cast<std::uint64_t>(element))) return std::nullopt;
    common = static_cast<std::uint64_t>(element);
  }
  return common;
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* real = std::get_if<double>(&value->value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value->value)) return static_cast<double>(*whole);
  const auto natural = count(key);
  return natural ? std::optional(static_cast<double>(*natural)) : std::nullopt;
}

std::optional<GgufArray> find_gguf_array(GgufCursor& cursor, std::uint64_t pairs, std::string_view key) {
  for (std::uint64_t i = 0; i < pairs; ++i) {
    if (read_key(cursor) != key)
      read_value(cursor);
    else
      return read_kind(cursor) == GgufKind::array ? std::optional(read_array_head(cursor)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace stemma
