// Problems and notes are collected here; the problems are thrown together.
#include "io/config/complaints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace stemma {

void Complaints::add(const Place& at, std::string key, std::string message) {
  problems_.push_back({file_, at.line, at.column, std::move(key), std::move(message), at.argument});
}

void Complaints::note(const Place& at, const std::string& message) {
  notes_.push_back(printed(at, file_) + ": " + message);
}

void Complaints::merge(const Complaints& other) {
  const auto add_new = [](auto& to, const auto& from) {
    for (const auto& one : from)
      if (std::ranges::find(to, one) == to.end()) to.push_back(one);
  };
  add_new(problems_, other.problems_);
  add_new(notes_, other.notes_);
}

void Complaints::raise_if_any() const {
  if (!problems_.empty()) throw ConfigProblems(problems_);
}

std::string printed(const Place& at, const std::string& file) {
  if (!at.argument.empty()) return at.argument;
  if (at.line == 0) return file;
  return at.column == 0 ? fmt::format("{}:{}", file, at.line)
                        : fmt::format("{}:{}:{}", file, at.line, at.column);
}

std::string shown(std::string_view text, std::size_t limit) {
  if (text.empty()) return "\"\"";
  std::string out;
  for (const char c : text) {
    if (out.size() >= limit && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace stemma
