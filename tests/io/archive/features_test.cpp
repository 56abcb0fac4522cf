// Do features survive the way through bytes, bit for bit?
#include "io/archive/features.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

double with_bits(std::uint64_t bits) { return std::bit_cast<double>(bits); }

Features sample() {
  return {.analyzer = "histogram",
          .version = 7,
          .subject = "layers/3/attn.q",
          .status = Status::nonfinite,
          .problem = "one \xE2\x88\x9E",
          .suggestion = "none",
          .numbers = {{"third", 1.0 / 3},
                      {"tiny", 5e-324},
                      {"minus zero", -0.0},
                      {"infinite", std::numeric_limits<double>::infinity()}},
          .counts = {{"n", 0}, {"hash_hi", ~std::uint64_t{0}}},
          .reals = {{"quantile", {-1, 0.1, 1e300}}, {"empty", {}}},
          .integers = {{"code", {0, 65535, ~std::uint64_t{0}}}}};
}

TEST(Features, RoundTripIsExact) {
  const Features before = sample();
  EXPECT_EQ(decode_features(encode(before)), before);
}

TEST(Features, NanPayloadsAndSignsSurvive) {
  Features f;
  const std::vector<std::uint64_t> patterns = {0x7FF8000000000001, 0xFFF8DEADBEEF0001, 0x7FF0000000000001,
                                               0x8000000000000000};
  for (const std::uint64_t bits : patterns) {
    f.numbers["x"] = with_bits(bits);
    f.reals["x"] = {with_bits(bits), 1};
    const Features after = decode_features(encode(f));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(after.numbers.at("x")), bits);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(after.reals.at("x").at(0)), bits);
  }
}

// Another reader of CBOR sees the numbers as little-endian byte strings.
TEST(Features, RealsAreLittleEndianByteStrings) {
  Features f;
  f.reals["x"] = {1.0};
  const auto bytes = encode(f);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto record = nlohmann::json::from_cbor(first, first + bytes.size());
  EXPECT_EQ(record.at("reals").at("x").get_binary(),
            nlohmann::json::binary_t({0, 0, 0, 0, 0, 0, 0xF0, 0x3F}));
}

TEST(Features, EveryTruncationIsMalformed) {
  const auto bytes = encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    try {
      (void)decode_features(std::span(bytes).first(size));
      ADD_FAILURE() << "accepted " << size << " of " << bytes.size() << " bytes";
    } catch (const InvalidInput& e) {
      EXPECT_EQ(e.finding().rule, "record.malformed");
    }
  }
}

TEST(Features, UnknownStatusIsMalformed) {
  const auto bytes = encode(sample());
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  auto record = nlohmann::json::from_cbor(first, first + bytes.size());
  record["status"] = 200;
  const auto changed = nlohmann::json::to_cbor(record);
  EXPECT_THROW((void)decode_features(std::as_bytes(std::span(changed))), InvalidInput);
}

}  // namespace
}  // namespace stemma
