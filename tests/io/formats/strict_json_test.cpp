// Does the scanner report what a JSON text says, and the most fundamental fault of what is none?
#include "io/formats/strict_json.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace stemma {
namespace {

/// Writes down every event.
class Transcript final : public JsonHandler {
 public:
  std::string text;
  void begin_object() override { text += "{"; }
  void end_object() override { text += "}"; }
  void begin_array() override { text += "["; }
  void end_array() override { text += "]"; }
  void key(std::string_view key) override { text += fmt::format("{}:", key); }
  void string(std::string_view string) override { text += fmt::format("'{}' ", string); }
  void integer(std::uint64_t value) override { text += fmt::format("{} ", value); }
  void null() override { text += "null "; }
  void other(std::string_view literal) override { text += fmt::format("<{}> ", literal); }
};

std::string transcript(std::string_view json) {
  Transcript events;
  EXPECT_FALSE(scan_json(json, {}, events)) << json;
  return events.text;
}

std::string fault(std::string_view json, const JsonLimits& limits = {}) {
  Transcript events;
  const auto problem = scan_json(json, limits, events);
  return problem ? std::string(rule_of(problem->fault)) : "";
}

TEST(StrictJson, EventsInOrder) {
  EXPECT_EQ(transcript(R"( {"a":[1,18446744073709551615,"x"],"b":{"\u0063":null}} )"),
            "{a:[1 18446744073709551615 'x' ]b:{c:null }}");
}

TEST(StrictJson, NumbersThatAreNoPlainIntegers) {
  EXPECT_EQ(transcript("[-0,-7,1.0,1e3,18446744073709551616,true,false]"),
            "[<-0> <-7> <1.0> <1e3> <18446744073709551616> <true> <false> ]");
}

TEST(StrictJson, Faults) {
  EXPECT_EQ(fault("\"\xFF\""), "json.not_utf8");
  EXPECT_EQ(fault("\xEF\xBB\xBF{}"), "json.byte_order_mark");
  EXPECT_EQ(fault(""), "json.syntax");
  EXPECT_EQ(fault("[1,]"), "json.syntax");
  EXPECT_EQ(fault("{} {}"), "json.syntax");
  EXPECT_EQ(fault("[NaN]"), "json.syntax");
  EXPECT_EQ(fault(std::string_view("{}\0", 3)), "json.syntax");
  EXPECT_EQ(fault("[[[1]]]", {.depth = 2}), "json.too_deep");
  EXPECT_EQ(fault("[[[1]]]", {.depth = 3}), "");
  EXPECT_EQ(fault(R"({"a":1,"b":2,"a":3})"), "json.duplicate_key");
  EXPECT_EQ(fault(R"([{"a":{"x":1,"x":2}}])"), "json.duplicate_key");
  EXPECT_EQ(fault(R"([{"a":1},{"a":1}])"), "");
  EXPECT_EQ(fault(R"({"a":1,"b":2,"c":3})", {.keys = 2}), "json.limit");
  EXPECT_EQ(fault(R"(["abc"])", {.string_bytes = 2}), "json.limit");
  EXPECT_EQ(fault("[1e999]"), "json.number_range");
}

TEST(StrictJson, TheMostFundamentalFaultIsReported) {
  EXPECT_EQ(fault(R"([{"a":1,"a":2},[[[1]]])", {.depth = 2}), "json.syntax");
  EXPECT_EQ(fault(R"([{"a":1,"a":2},[[[1]]]])", {.depth = 2}), "json.too_deep");
}

TEST(StrictJson, ByteOfASyntaxError) {
  Transcript events;
  const auto problem = scan_json("  {\"a\" 1}", {}, events);
  ASSERT_TRUE(problem && problem->byte);
  EXPECT_EQ(*problem->byte, 7U);
}

TEST(StrictJson, DeepNestingIsNoRecursion) {
  EXPECT_EQ(fault(std::string(1'000'000, '[')), "json.syntax");
  EXPECT_EQ(fault(std::string(1'000'000, '[') + std::string(1'000'000, ']')), "json.too_deep");
}

TEST(StrictJson, NonFiniteLiterals) {
  EXPECT_EQ(without_non_finite_literals(R"({"a":NaN,"b":[Infinity,-Infinity]})"),
            R"({"a":null,"b":[null,null]})");
  EXPECT_EQ(without_non_finite_literals(R"({"NaN":"say \"NaN\" -Infinity"})"),
            R"({"NaN":"say \"NaN\" -Infinity"})");
  EXPECT_EQ(without_non_finite_literals("[NaNs,xNaN]"), "[NaNs,xNaN]");
  EXPECT_EQ(without_non_finite_literals("\"\\"), "\"\\");
}

}  // namespace
}  // namespace stemma
