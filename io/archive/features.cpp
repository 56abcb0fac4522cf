// How do features travel and rest as bytes, bit for bit?
#include "io/archive/features.hpp"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

static_assert(std::endian::native == std::endian::little, "records hold little-endian numbers");

using nlohmann::json;

// CBOR would be free to shorten doubles and to drop the payload of a NaN: numbers are byte strings.
template <class Number>
json packed(std::span<const Number> values) {
  std::vector<std::uint8_t> bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return json::binary(std::move(bytes));
}

template <class Number>
std::vector<Number> unpacked(const json& value) {
  const json::binary_t& bytes = value.get_binary();
  if (bytes.size() % sizeof(Number) != 0) throw std::length_error("bytes do not make whole numbers");
  std::vector<Number> values(bytes.size() / sizeof(Number));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <class Number>
json packed_map(const std::map<std::string, std::vector<Number>>& map) {
  json out = json::object();
  for (const auto& [name, values] : map) out[name] = packed<Number>(values);
  return out;
}

template <class Number>
std::map<std::string, std::vector<Number>> unpacked_map(const json& object) {
  std::map<std::string, std::vector<Number>> map;
  for (const auto& [name, value] : object.items()) map.emplace(name, unpacked<Number>(value));
  return map;
}

Features features_from(const json& record) {
  Features f;
  f.analyzer = record.at("analyzer").get<std::string>();
  f.version = record.at("version").get<int>();
  f.subject = record.at("subject").get<std::string>();
  const auto status = record.at("status").get<unsigned>();
  if (status > static_cast<unsigned>(Status::pending)) throw std::out_of_range("unknown status");
  f.status = static_cast<Status>(status);
  f.rule = record.at("rule").get<std::string>();
  f.problem = record.at("problem").get<std::string>();
  f.suggestion = record.at("suggestion").get<std::string>();
  for (const auto& [name, value] : record.at("numbers").items()) {
    const std::vector<double> one = unpacked<double>(value);
    if (one.size() != 1) throw std::length_error("a number must be one number");
    f.numbers.emplace(name, one.front());
  }
  for (const auto& [name, value] : record.at("counts").items())
    f.counts.emplace(name, value.get<std::uint64_t>());
  f.reals = unpacked_map<double>(record.at("reals"));
  f.integers = unpacked_map<std::uint64_t>(record.at("integers"));
  return f;
}

}  // namespace

std::vector<std::byte> encode(const Features& features) {
  json record = {{"analyzer", features.analyzer},
                 {"version", features.version},
                 {"subject", features.subject},
                 {"status", static_cast<unsigned>(features.status)},
                 {"rule", features.rule},
                 {"problem", features.problem},
                 {"suggestion", features.suggestion},
                 {"numbers", json::object()},
                 {"counts", json::object()},
                 {"reals", packed_map(features.reals)},
                 {"integers", packed_map(features.integers)}};
  for (const auto& [name, value] : features.numbers)
    record["numbers"][name] = packed(std::span<const double>(&value, 1));
  for (const auto& [name, value] : features.counts) record["counts"][name] = value;
  const std::vector<std::uint8_t> cbor = json::to_cbor(record);
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

Features decode_features(std::span<const std::byte> bytes) {
  try {
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return features_from(json::from_cbor(first, first + bytes.size()));
  } catch (const std::exception& e) {
    throw InvalidInput({.rule = "record.malformed",
                        .expected = "the features of one subject as CBOR",
                        .found = printable(e.what(), 120),
                        .hint = "the record was written by another version or is damaged"});
  }
}

}  // namespace stemma
