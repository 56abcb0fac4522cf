// What came out for one subject?
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// How one subject ended. The numeric values are written to archives: append only.
enum class Status : std::uint8_t { ok, nonfinite, failed, skipped, duplicate, pending };
std::string_view name_of(Status status);

/// The numbers that one analyzer found for one subject. Names are stable; NaN means "does not exist here".
struct Features {
  std::string analyzer;
  int version = 1;
  std::string subject;  ///< path: a role ("layers/3/attn.q"), a tensor name, or "layers/3/qk"
  Status status = Status::ok;
  std::string rule;        ///< dotted identifier of what went wrong, "" when all went well
  std::string problem;     ///< why, when status is failed or skipped
  std::string suggestion;  ///< what to do about it
  std::map<std::string, double> numbers;
  std::map<std::string, std::uint64_t> counts;
  std::map<std::string, std::vector<double>> reals;
  std::map<std::string, std::vector<std::uint64_t>> integers;

  bool operator==(const Features&) const = default;
};

/// Looks up results of one model by analyzer and subject path; nothing when there is none.
using FeatureSource =
    std::function<std::optional<Features>(std::string_view analyzer, std::string_view subject)>;

/// Features as bytes (CBOR) and back; the round trip is exact, NaN payloads included.
/// decode throws InvalidInput(record.malformed).
std::vector<std::byte> encode(const Features& features);
Features decode_features(std::span<const std::byte> bytes);

}  // namespace stemma
