// Can a stranger's words act on a page, in any place where they may stand?
#include "io/report/page/markup.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace stemma {
namespace {

TEST(Markup, EscapesTextAndAttributes) {
  Markup page;
  page.element("p", {{"title", "a\"b'c<d>e&f"}}, "a\"b'c<d>e&f");
  EXPECT_EQ(page.str(), "<p title=\"a&quot;b&#39;c&lt;d&gt;e&amp;f\">a&quot;b&#39;c&lt;d&gt;e&amp;f</p>");
}

TEST(Markup, ElementsNestAndLeavesCloseThemselves) {
  Markup inner;
  inner.leaf("path", {{"d", "M0 0h1"}, {"x", 1.504}, {"y", -0.001}, {"n", std::nan("")}});
  Markup page;
  page.open("svg").add(inner).close("svg").text("&amp;");
  EXPECT_EQ(page.str(), "<svg><path d=\"M0 0h1\" x=\"1.5\" y=\"0\" n=\"0\"/></svg>&amp;amp;");
  EXPECT_EQ(page.size(), page.str().size());
}

TEST(Markup, WhatIsOpenMustBeClosed) {
  Markup page;
  EXPECT_THROW(page.close("p"), std::logic_error);
  page.open("section").open("p");
  EXPECT_THROW(page.close("section"), std::logic_error);
  EXPECT_THROW(page.str(), std::logic_error);
  page.close("p").close("section");
  EXPECT_EQ(page.str(), "<section><p></p></section>");
  Markup open;
  open.open("b");
  EXPECT_THROW(Markup().add(open), std::logic_error);
}

TEST(Markup, NamesAreIsolatedAndKeepTheWholeInTheTitle) {
  Markup page;
  page.name("short").name(std::string(30, 'x') + "<b>", 9);
  EXPECT_EQ(page.str(), "<bdi>short</bdi><bdi title=\"" + std::string(30, 'x') +
                            "&lt;b&gt;\">xxxx\u2026x&lt;b&gt;</bdi>");
  Markup turned;
  turned.name("\u202egnp.exe\n\x01");
  EXPECT_EQ(turned.str(), "<bdi>\\u{202E}gnp.exe\\x0A\\x01</bdi>");
}

TEST(Markup, ACellThatHoldsANameIsolatesItItself) {
  Markup page;
  page.named("td", "a&b").named("th", {{"scope", "row"}}, "<i>\"" + std::string(30, 'x'), 9);
  EXPECT_EQ(page.str(),
            "<td dir=\"auto\">a&amp;b</td><th scope=\"row\" dir=\"auto\" title=\"&lt;i&gt;&quot;" +
                std::string(30, 'x') + "\">&lt;i&gt;&quot;\u2026xxxx</th>");
}

TEST(Markup, RawRefusesWhatWouldEndItsElement) {
  Markup page;
  page.open("script").raw("1 < 2 && \"\\u003c/script>\"").close("script");
  EXPECT_EQ(page.str(), "<script>1 < 2 && \"\\u003c/script>\"</script>");
  EXPECT_THROW(page.raw("</script>"), std::logic_error);
  EXPECT_THROW(page.raw("x </ STYLE"), std::logic_error);
  EXPECT_THROW(page.raw("<!-- <script>"), std::logic_error);
}

TEST(Shortened, KeepsHeadAndTailAndWholeCharacters) {
  EXPECT_EQ(shortened("", 5), "");
  EXPECT_EQ(shortened("abcde", 5), "abcde");
  EXPECT_EQ(shortened("abcdef", 5), "ab\u2026ef");
  EXPECT_EQ(shortened("äöüßéà", 5), "äö\u2026éà");  // two bytes each
  EXPECT_EQ(shortened("\U0001f333\U0001f334\U0001f335\U0001f332", 3), "\U0001f333\u2026\U0001f332");
  EXPECT_EQ(shortened("\xff", 5), "\\xFF");  // no UTF-8
  EXPECT_EQ(shortened(std::string(10'000, 'x')).size(), 79 + std::string_view("\u2026").size());
}

TEST(Coordinate, HasTwoDecimalsAndNoMinusZero) {
  EXPECT_EQ(coordinate(12), "12");
  EXPECT_EQ(coordinate(0.126), "0.13");
  EXPECT_EQ(coordinate(-7.5), "-7.5");
  EXPECT_EQ(coordinate(-0.0049), "0");
  EXPECT_EQ(coordinate(std::numeric_limits<double>::infinity()), "0");
}

TEST(JsonForScript, EndsNoElementAndReadsBackTheSame) {
  const nlohmann::json value = {"</script><!--", "a & b", "\u2028\u2029", "<b>", "ä"};
  const std::string text = json_for_script(value.dump());
  for (const char* never : {"<", ">", "&", "\u2028", "\u2029"})
    EXPECT_EQ(text.find(never), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(text), value);
}

}  // namespace
}  // namespace stemma
