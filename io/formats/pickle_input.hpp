// What comes next in the stream of a pickle?
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

#include "io/formats/limits.hpp"
#include "io/formats/pickle_report.hpp"

namespace stemma {

/// Operands, each checked against what is left. Throws what PickleReport::refuse throws.
class PickleInput {
 public:
  PickleInput(std::string_view stream, const PickleReport& report)
      : stream_(stream), rest_(stream), report_(report) {}

  std::uint64_t position() const { return stream_.size() - rest_.size(); }
  std::uint64_t left() const { return rest_.size(); }
  std::string_view peek(std::uint64_t bytes) const { return rest_.substr(0, bytes); }

  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) report_.refuse("truncated", "the end of the stream inside a value");
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  /// Little-endian.
  template <class Number>
  Number number() {
    Number value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  /// Up to the next line feed, which is taken too.
  std::string_view line() {
    const std::size_t end = peek(limits::pickle_line_bytes + 1).find('\n');
    if (end == std::string_view::npos)
      report_.refuse("global_line", "a name without an end", "at most 512 bytes");
    const std::string_view text = take(end);
    take(1);
    return text;
  }

 private:
  std::string_view stream_, rest_;
  const PickleReport& report_;
};

}  // namespace stemma
