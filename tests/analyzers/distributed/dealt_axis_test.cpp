// Do the arithmetic of dealing and the shape of grids hold for every number of ranks?
#include "analyzers/distributed/dealt_axis.hpp"

#include <gtest/gtest.h>

#include <set>

#include "analyzers/numerics/grid_shape.hpp"

namespace stemma {
namespace {

TEST(DealtAxis, EveryIndexHasOnePlace) {
  for (const std::uint64_t size : {0U, 1U, 63U, 64U, 65U, 128U, 1000U, 4096U})
    for (int parts = 1; parts <= 17; ++parts) {
      const DealtAxis axis{size, parts};
      std::uint64_t total = 0;
      std::set<std::uint64_t> seen;
      for (int part = 0; part < parts; ++part) {
        const std::uint64_t mine = axis.local_size(part);
        total += mine;
        std::uint64_t next = 0;
        for_each_run(axis, part, [&](std::uint64_t local, std::uint64_t global, std::uint64_t length) {
          EXPECT_EQ(local, next);
          next += length;
          for (std::uint64_t i = 0; i < length; ++i) {
            EXPECT_EQ(axis.global_of(part, local + i), global + i);
            EXPECT_EQ(axis.owner_of(global + i), part);
            EXPECT_EQ(axis.local_of(global + i), local + i);
            seen.insert(global + i);
          }
        });
        EXPECT_EQ(next, mine);
      }
      EXPECT_EQ(total, size);
      EXPECT_EQ(seen.size(), size);
    }
}

TEST(GridShape, SquarestIsTheLargestThatIsNotLong) {
  EXPECT_EQ(squarest(1), (GridShape{1, 1}));
  EXPECT_EQ(squarest(2), (GridShape{1, 2}));
  EXPECT_EQ(squarest(4), (GridShape{2, 2}));
  EXPECT_EQ(squarest(8), (GridShape{2, 4}));
  EXPECT_EQ(squarest(13), (GridShape{3, 4}));
  EXPECT_EQ(squarest(36), (GridShape{6, 6}));
  EXPECT_EQ(squarest(128), (GridShape{8, 16}));
  EXPECT_EQ(squarest(192), (GridShape{12, 16}));
  for (int ranks = 1; ranks <= 2000; ++ranks) {
    const GridShape grid = squarest(ranks);
    EXPECT_LE(grid.rows, grid.cols);
    EXPECT_LE(grid.cols, 2 * grid.rows);
    EXPECT_LE(grid.size(), ranks);
    // Nothing larger is as square: brute force over all sizes above it.
    for (int size = grid.size() + 1; size <= ranks; ++size)
      for (int rows = 1; rows * rows <= size; ++rows)
        EXPECT_FALSE(size % rows == 0 && size / rows <= 2 * rows) << ranks;
  }
}

}  // namespace
}  // namespace stemma
