// Is a moment read as it is written, and nothing else taken for one?
#include "io/config/moment.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace stemma {
namespace {

using Kind = Moment::Kind;

TEST(Moment, IsReadInEveryForm) {
  const auto expect = [](std::string_view text, Kind kind, double seconds) {
    const auto moment = moment_from(text);
    ASSERT_TRUE(moment.has_value()) << text;
    EXPECT_EQ(moment->kind, kind) << text;
    EXPECT_EQ(moment->seconds, seconds) << text;
    EXPECT_TRUE(std::regex_match(std::string(text), std::regex(std::string(moment_pattern)))) << text;
  };
  expect("auto", Kind::automatic, 0);
  expect("none", Kind::none, 0);
  expect("+90s", Kind::after, 90);
  expect("+4h", Kind::after, 14'400);
  expect("@0", Kind::at, 0);
  expect("@1795228378", Kind::at, 1'795'228'378);
  expect("1970-01-01T00:00:00Z", Kind::at, 0);
  expect("2026-11-21T18:00:00Z", Kind::at, 1'795'284'000);  // date -u -d 2026-11-21T18:00:00Z +%s
  expect("2024-02-29T23:59:59Z", Kind::at, 1'709'251'199);
}

TEST(Moment, OtherTextsAreNone) {
  for (const std::string_view text : {"",
                                      "soon",
                                      "4h",
                                      "+",
                                      "+4",
                                      "+-4h",
                                      "@",
                                      "@-5",
                                      "@12x",
                                      "@1234567890123",
                                      "2026-11-21",
                                      "Auto",
                                      "2026-11-21T18:00:00",
                                      "2026-11-21 18:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T18:60:00Z",
                                      "2026-11-21T18:00:0xZ",
                                      " auto"})
    EXPECT_FALSE(moment_from(text).has_value()) << text;
}

}  // namespace
}  // namespace stemma
