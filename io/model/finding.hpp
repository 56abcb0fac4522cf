// What is odd or wrong about an input, said once, in fields and in one sentence?
#pragma once
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace stemma {

/// error: the file or tensor is not used; warning: used, but worth a look; note: recorded only.
enum class Severity : std::uint8_t { error, warning, note };
std::string_view name_of(Severity severity);

/// One observation about an input. `rule` is a stable dotted identifier ("safetensors.offset_hole");
/// scripts and tests compare it, never the prose. Empty fields do not apply.
struct Finding {
  Severity severity = Severity::error;
  std::string rule{};
  std::string file{};
  std::string tensor{};
  std::optional<std::uint64_t> byte_offset{};
  std::string expected{};
  std::string found{};
  std::string hint{};  ///< free text: the problem in words, and what to do about it

  auto operator<=>(const Finding&) const = default;
};

/// One printable line: file, tensor, byte, rule, what was found, what to do. Foreign text is escaped.
std::string sentence(const Finding& finding);

/// Text from a stranger made printable: control characters, bidirectional controls and invalid UTF-8 become
/// \xNN or \u{NNNN}; cut at `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 200);

/// An input that cannot be used. Carries the finding, so that callers and tests look at fields.
class InvalidInput : public std::runtime_error {
 public:
  explicit InvalidInput(Finding finding)
      : std::runtime_error(sentence(finding)), finding_(std::move(finding)) {}
  const Finding& finding() const { return finding_; }

 private:
  Finding finding_;
};

}  // namespace stemma
