// The outcome of an item as bytes and back.
#include "pipeline/item_result.hpp"

#include <cstring>
#include <stdexcept>

namespace stemma {
namespace {

template <class T>
void put(std::vector<std::byte>& out, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  put(out, std::uint64_t{bytes.size()});
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Throws std::length_error when fewer than `size` bytes are left.
std::span<const std::byte> take_part(std::span<const std::byte>& in, std::uint64_t size) {
  if (size > in.size()) throw std::length_error("a result between ranks ends too early");
  const auto part = in.first(size);
  in = in.subspan(size);
  return part;
}

template <class T>
T take(std::span<const std::byte>& in) {
  T value;
  std::memcpy(&value, take_part(in, sizeof value).data(), sizeof value);
  return value;
}

std::span<const std::byte> take_bytes(std::span<const std::byte>& in) {
  return take_part(in, take<std::uint64_t>(in));
}

template <class T>
void take_values(std::span<const std::byte>& in, std::vector<T>& out) {
  const auto bytes = take_bytes(in);
  out.resize(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
}

}  // namespace

// Both ends are the same program on the same kind of machine, so this framing needs no schema.
std::vector<std::byte> encode(const ItemResult& result) {
  std::vector<std::byte> out;
  put(out, result.item);
  put(out, result.seconds);
  put(out, result.bytes_read);
  put(out, result.peak_memory);
  put_bytes(out, std::as_bytes(std::span(result.ended)));
  put_bytes(out, std::as_bytes(std::span(result.spent)));
  put_bytes(out, std::as_bytes(std::span(result.keys)));
  put_bytes(out, std::as_bytes(std::span(result.contents)));
  put_bytes(out, std::as_bytes(std::span(result.same)));
  put(out, std::uint64_t{result.features.size()});
  for (const Features& features : result.features) put_bytes(out, encode(features));
  return out;
}

ItemResult decode_result(std::span<const std::byte> in) {
  ItemResult result;
  result.item = take<std::uint32_t>(in);
  result.seconds = take<double>(in);
  result.bytes_read = take<std::uint64_t>(in);
  result.peak_memory = take<std::uint64_t>(in);
  const auto ended = take_bytes(in);
  result.ended.assign(reinterpret_cast<const char*>(ended.data()), ended.size());
  take_values(in, result.spent);
  take_values(in, result.keys);
  take_values(in, result.contents);
  take_values(in, result.same);
  const auto n = take<std::uint64_t>(in);
  for (std::uint64_t i = 0; i < n; ++i) result.features.push_back(decode_features(take_bytes(in)));
  return result;
}

}  // namespace stemma
