// How do evidence rows carry details as JSON text?
#pragma once
#include <concepts>
#include <string>
#include <string_view>

namespace stemma {

/// A flat JSON object, members in the order of adding. NaN and infinities become null.
class JsonObject {
 public:
  JsonObject() = default;
  /// Continues an object that text() made.
  explicit JsonObject(std::string_view text);

  JsonObject& add(std::string_view name, double value);
  JsonObject& add(std::string_view name, std::string_view value);
  JsonObject& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  JsonObject& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonObject& add(std::string_view name, T value) {
    return raw(name, std::to_string(value));
  }
  std::string text() const { return "{" + members_ + "}"; }

 private:
  JsonObject& raw(std::string_view name, std::string_view value);
  std::string members_;
};

}  // namespace stemma
