// Is every code counted once, whatever the loop, the cuts, the number of tables and the moment of emptying
// them?
#include "analyzers/numerics/code_counter.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <random>

namespace stemma {
namespace {

using Codes = std::map<std::uint16_t, std::uint64_t>;

Codes one_by_one(Dtype dtype, std::span<const std::byte> bytes) {
  Codes counts;
  const std::size_t width = bits_of(dtype) / 8;
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    std::uint16_t code = 0;
    std::memcpy(&code, bytes.data() + at, width);
    ++counts[code];
  }
  return counts;
}

Codes counted(CodeCounter counter, Dtype dtype, std::span<const std::byte> bytes, std::mt19937_64* cuts) {
  const std::size_t width = bits_of(dtype) / 8;
  while (!bytes.empty()) {
    const std::size_t most = cuts == nullptr ? bytes.size() : (1 + (*cuts)() % 9000) * width;
    const std::size_t some = std::min(most, bytes.size());
    counter.add(bytes.first(some));
    bytes = bytes.subspan(some);
  }
  const Histogram histogram = counter.finish();
  Codes counts;
  for (std::size_t i = 0; i < histogram.code.size(); ++i) counts[histogram.code[i]] = histogram.count[i];
  return counts;
}

/// Bytes in which a share of the 16-bit units is zero and the rest is random.
std::vector<std::byte> random_bytes(std::size_t size, double zeros, std::mt19937_64& random) {
  std::bernoulli_distribution zero(zeros);
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size; at += 2) {
    const auto unit = static_cast<std::uint16_t>(zero(random) ? 0 : random());
    std::memcpy(bytes.data() + at, &unit, std::min<std::size_t>(2, size - at));
  }
  return bytes;
}

class EveryDtype : public testing::TestWithParam<Dtype> {};

TEST_P(EveryDtype, AgreesWithCountingOneByOne) {
  const Dtype dtype = GetParam();
  std::mt19937_64 random(1);
  for (const std::size_t units : {0, 1, 3, 1000, 8191, 8192, 8193, 16385, 65535, 65536, 65537, 400001})
    for (const double zeros : {0.0, 0.1, 0.45, 0.9, 1.0}) {
      const std::size_t odd = bits_of(dtype) == 8 ? units % 2 : 0;
      const auto bytes = random_bytes(2 * units + odd, zeros, random);
      const Codes expected = one_by_one(dtype, bytes);
      EXPECT_EQ(counted(CodeCounter(dtype), dtype, bytes, nullptr), expected)
          << units << " units, zeros " << zeros;
      EXPECT_EQ(counted(CodeCounter(dtype), dtype, bytes, &random), expected)
          << units << " units, zeros " << zeros;
    }
}

TEST_P(EveryDtype, TablesThatWereEmptiedLoseNothing) {
  const Dtype dtype = GetParam();
  std::mt19937_64 random(2);
  for (const double zeros : {0.1, 0.9}) {
    const auto bytes = random_bytes(600001 / 2 * 2, zeros, random);
    const Codes expected = one_by_one(dtype, bytes);
    for (const std::uint64_t limit : {1009, 65535, 65536, 65537, 99991}) {
      EXPECT_EQ(counted(CodeCounter(dtype, limit), dtype, bytes, nullptr), expected) << limit;
      EXPECT_EQ(counted(CodeCounter(dtype, limit), dtype, bytes, &random), expected) << limit;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryDtype,
                         testing::Values(Dtype::bf16, Dtype::f16, Dtype::f8_e4m3, Dtype::f8_e5m2,
                                         Dtype::f8_e4m3fnuz, Dtype::f8_e5m2fnuz, Dtype::f8_e8m0),
                         [](const auto& dtype) { return std::string(name_of(dtype.param)); });

TEST(CodeCounter, RefusesHalfElementsAndOtherWidths) {
  const std::vector<std::byte> three(3);
  EXPECT_THROW(CodeCounter(Dtype::bf16).add(three), std::invalid_argument);
  EXPECT_THROW(CodeCounter(Dtype::f32), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
