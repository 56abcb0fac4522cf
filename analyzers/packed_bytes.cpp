// A byte is enough: what is compared are correlations over many of them.
#include "analyzers/packed_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace stemma {

std::vector<std::int8_t> as_bytes_of_largest(std::span<const double> numbers) {
  double largest = 0;
  for (const double x : numbers) largest = std::max(largest, std::abs(x));
  std::vector<std::int8_t> bytes(numbers.size());
  if (largest > 0)
    std::ranges::transform(numbers, bytes.begin(), [&](double x) {
      return static_cast<std::int8_t>(std::nearbyint(x / largest * largest_byte));
    });
  return bytes;
}

std::vector<std::uint64_t> packed(std::span<const std::int8_t> bytes) {
  std::vector<std::uint64_t> numbers((bytes.size() + 7) / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    numbers[i / 8] |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * (i % 8));
  return numbers;
}

std::vector<std::int8_t> unpacked(std::span<const std::uint64_t> numbers, std::size_t count) {
  if (numbers.size() != (count + 7) / 8) throw std::invalid_argument("there are not as many bytes");
  std::vector<std::int8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::int8_t>(static_cast<std::uint8_t>(numbers[i / 8] >> (8 * (i % 8))));
  return bytes;
}

}  // namespace stemma
