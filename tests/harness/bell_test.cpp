// Does a failure on one single rank turn the whole test red? CTest expects this program to fail.
#include <gtest/gtest.h>

#include "tests/harness/mpi_world.hpp"

namespace stemma::test {

TEST(Bell, RingsWhenTheLastRankFails) { EXPECT_NE(all_ranks().rank(), all_ranks().size() - 1); }

}  // namespace stemma::test
