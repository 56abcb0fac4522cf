// Do bytes come back as they went, and is a byte the nearest to its number?
#include "analyzers/packed_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>

namespace stemma {
namespace {

using testing::ElementsAre;

TEST(PackedBytes, ComeBack) {
  std::mt19937_64 random(1);
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<std::int8_t> bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::int8_t>(random());
    const auto numbers = packed(bytes);
    EXPECT_EQ(numbers.size(), (count + 7) / 8);
    EXPECT_EQ(unpacked(numbers, count), bytes);
  }
}

TEST(PackedBytes, TheFirstIsTheLowest) {
  const std::vector<std::int8_t> bytes = {1, -1, 0, 0, 0, 0, 0, -128, 2};
  EXPECT_THAT(packed(bytes), ElementsAre(0x800000000000FF01U, 2U));
}

TEST(PackedBytes, AnotherCountIsRefused) {
  const std::vector<std::uint64_t> two(2);
  EXPECT_NO_THROW(unpacked(two, 9));
  EXPECT_NO_THROW(unpacked(two, 16));
  for (const std::size_t count : {0, 8, 17}) EXPECT_THROW(unpacked(two, count), std::invalid_argument);
}

TEST(BytesOfLargest, AreTheNearest) {
  EXPECT_THAT(as_bytes_of_largest(std::vector<double>{-2, 1, 0.5, 0}), ElementsAre(-127, 64, 32, 0));
  EXPECT_THAT(as_bytes_of_largest(std::vector<double>{0, 0}), ElementsAre(0, 0));
  EXPECT_TRUE(as_bytes_of_largest({}).empty());
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  for (const double scale : {1.0, 1e-300, 1e300}) {
    std::vector<double> numbers(100);
    for (double& x : numbers) x = scale * normal(random);
    const auto bytes = as_bytes_of_largest(numbers);
    double largest = 0;
    for (const double x : numbers) largest = std::max(largest, std::abs(x));
    for (std::size_t i = 0; i < numbers.size(); ++i)
      EXPECT_LE(std::abs(numbers[i] / largest - bytes[i] / largest_byte), 0.5000001 / largest_byte);
  }
}

}  // namespace
}  // namespace stemma
