// Do columns stand under each other, whatever alphabet their cells are written in?
#include "io/report/columns.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

TEST(Aligned, PadsByCharactersNotBytesAndLeavesNoBlanksAtTheEnd) {
  EXPECT_EQ(aligned({{"id", "x"}, {"\xc3\xa9\xc3\xa9", "long"}, {"abc", ""}}),
            "  id   x\n  \xc3\xa9\xc3\xa9   long\n  abc\n");
}

}  // namespace
}  // namespace stemma
