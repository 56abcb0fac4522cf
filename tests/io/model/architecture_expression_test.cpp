// Do expressions give the number of arithmetic, or none?
#include "io/model/architecture_expression.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace stemma {
namespace {

const Dims dims{{"heads", 32}, {"kv_heads", 8}, {"head_dim", 128}, {"big", INT64_MAX}, {"zero", 0}};

std::optional<std::int64_t> value(const std::string& text) {
  return Expression::parse(text).evaluate(dims).number;
}

TEST(Expression, FollowsTheRulesOfArithmetic) {
  EXPECT_EQ(value("7"), 7);
  EXPECT_EQ(value("heads * head_dim"), 4096);
  EXPECT_EQ(value("(heads + 2 * kv_heads) * head_dim"), 6144);
  EXPECT_EQ(value("heads/kv_heads+2"), 6);
  EXPECT_EQ(value("100 - 20 - 30"), 50);
  EXPECT_EQ(value("64 / 4 / 2"), 8);
  EXPECT_EQ(value(" ( ( 3 ) ) "), 3);
  EXPECT_EQ(value("kv_heads - heads"), -24);
}

TEST(Expression, HasNoValueRatherThanAWrongOne) {
  EXPECT_FALSE(value("heads / 3"));
  EXPECT_FALSE(value("heads / zero"));
  EXPECT_FALSE(value("big + 1"));
  EXPECT_FALSE(value("big * 2"));
  EXPECT_FALSE(value("0 - big - 2"));
  EXPECT_FALSE(value("hidden"));
  EXPECT_TRUE(Expression::parse("hidden * 2").evaluate(dims).unresolved);
  EXPECT_FALSE(Expression::parse("heads / 3").evaluate(dims).unresolved);
}

TEST(Expression, KnowsItsNames) {
  const auto sum = Expression::parse("heads + kv_heads * heads");
  EXPECT_EQ(sum.names(), (std::vector<std::string>{"heads", "kv_heads", "heads"}));
  EXPECT_FALSE(sum.as_name());
  EXPECT_EQ(Expression::parse("inter").as_name(), "inter");
  EXPECT_FALSE(Expression::parse("12").as_name());
}

TEST(Expression, RefusesWhatIsNotOne) {
  for (const char* text : {"", " ", "+", "1 +", "* 2", "(1", "1)", "1 2", "heads head_dim", "-1", "2 ** 3",
                           "Heads", "a.b", "1.5", "0x10", "a % b", "99999999999999999999", "()", "1 + * 2"}) {
    EXPECT_THROW(Expression::parse(text), std::invalid_argument) << text;
  }
  EXPECT_THROW(Expression::parse(std::string(65, '1')), std::invalid_argument);
  EXPECT_NO_THROW(Expression::parse("(((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))"));
}

}  // namespace
}  // namespace stemma
