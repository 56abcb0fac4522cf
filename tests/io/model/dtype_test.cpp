// Do all number formats have a name, a size and a place in the enumeration?
#include "io/model/dtype.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

TEST(Dtype, NamesRoundTrip) {
  for (std::uint8_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    EXPECT_EQ(dtype_named(name_of(dtype)), dtype);
  }
  EXPECT_FALSE(dtype_named("f32"));
  EXPECT_FALSE(dtype_named(""));
}

TEST(Dtype, SizesFollowFromTheNames) {
  for (std::uint8_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const std::string name(name_of(dtype));
    if (dtype == Dtype::boolean) continue;
    const std::size_t digits = name.find_first_of("0123456789");
    ASSERT_NE(digits, std::string::npos);
    EXPECT_EQ(bits_of(dtype), static_cast<unsigned>(std::stoi(name.substr(digits)))) << name;
  }
  EXPECT_EQ(bits_of(Dtype::boolean), 8U);
}

TEST(Dtype, WeightsAreRealFloatingPointOfWholeBytes) {
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64, Dtype::f8_e4m3})
    EXPECT_TRUE(is_real(dtype));
  for (const Dtype dtype : {Dtype::boolean, Dtype::i8, Dtype::i64, Dtype::c64, Dtype::f4, Dtype::f6_e3m2}) {
    EXPECT_FALSE(is_real(dtype));
  }
}

TEST(Dtype, ArchivedNumbersNeverChange) {
  EXPECT_EQ(static_cast<int>(Dtype::boolean), 0);
  EXPECT_EQ(static_cast<int>(Dtype::f16), 9);
  EXPECT_EQ(static_cast<int>(Dtype::bf16), 10);
  EXPECT_EQ(static_cast<int>(Dtype::f6_e3m2), 21);
}

}  // namespace
}  // namespace stemma
