// Are these the numbers of Philox4x32-10, and does BLAS pass its self-test?
#include "analyzers/numerics/philox.hpp"

#include <gtest/gtest.h>

#include "analyzers/numerics/blas_selftest.hpp"

namespace stemma {
namespace {

using Words = std::array<std::uint32_t, 4>;

/// Known answers of the authors' library Random123.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(BlasSelftest, PassesHere) { EXPECT_EQ(blas_selftest(), std::vector<std::string>{}); }

}  // namespace
}  // namespace stemma
