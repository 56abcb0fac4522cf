// How do evidence rows carry details as JSON text?
#include "analyzers/json_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace stemma {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

JsonObject::JsonObject(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}')
    throw std::invalid_argument("not a JSON object");
  members_ = text.substr(1, text.size() - 2);
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view value) {
  members_ += fmt::format("{}{}:{}", members_.empty() ? "" : ",", quoted(name), value);
  return *this;
}

JsonObject& JsonObject::add(std::string_view name, double value) {
  return raw(name, std::isfinite(value) ? fmt::format("{}", value) : "null");
}

JsonObject& JsonObject::add(std::string_view name, std::string_view value) {
  return raw(name, quoted(value));
}

}  // namespace stemma
