// What does config.json claim? Python-flavoured JSON; every value is a claim that the tensors may contradict.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

class ModelConfig {
 public:
  /// NaN and the infinities read as null. A text that is not a JSON object reads as no config at all.
  explicit ModelConfig(std::string_view text);
  ~ModelConfig();
  ModelConfig(const ModelConfig&) = delete;
  ModelConfig& operator=(const ModelConfig&) = delete;

  bool is_present() const;  ///< there was a text, and it could be read
  bool is_malformed() const { return malformed_; }

  struct Number {
    std::optional<std::int64_t> value;
    std::string rejected;  ///< the value as written when it cannot be a dimension
  };
  // `nested`: objects that are searched before the top level. Dotted keys descend.

  /// A dimension: a whole number from 1 to 2^40. Neither member is set when the key is absent or null.
  Number number(std::string_view key, std::span<const std::string> nested) const;
  /// "null" when absent, texts without quotes, other values as JSON.
  std::string scalar(std::string_view key, std::span<const std::string> nested) const;
  /// Texts at a key, in a nested object and at the top level, whether one text or a list of them.
  std::vector<std::string> texts(std::string_view key, std::span<const std::string> nested) const;

 private:
  struct Json;
  std::unique_ptr<Json> json_;
  bool malformed_ = false;
};

}  // namespace stemma
