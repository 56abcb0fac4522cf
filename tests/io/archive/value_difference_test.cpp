// When do two texts say the same but for rounding?
#include "io/archive/value_difference.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

TEST(SameButForRounding, WordsMustAgreeAndNumbersBeClose) {
  EXPECT_TRUE(same_but_for_rounding("", ""));
  EXPECT_TRUE(same_but_for_rounding("r = 0.123 of 7 layers", "r = 0.124 of 7 layers"));
  EXPECT_TRUE(same_but_for_rounding(R"({"x": 1.0000000001, "y": null})", R"({"x": 1, "y": null})"));
  EXPECT_TRUE(same_but_for_rounding("1.25e-7", "1.250000001e-7"));
  EXPECT_FALSE(same_but_for_rounding("r = 0.123", "r = 0.125"));
  EXPECT_FALSE(same_but_for_rounding("7 layers", "8 layers")) << "counts do not round";
  EXPECT_FALSE(same_but_for_rounding("related", "unrelated"));
  EXPECT_FALSE(same_but_for_rounding("0.5", "0.5 "));
  EXPECT_FALSE(same_but_for_rounding("1.25e-7", "1.25e-6"));
}

}  // namespace
}  // namespace stemma
