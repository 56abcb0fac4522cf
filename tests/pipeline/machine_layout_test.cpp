// Do slots, blocks and teams follow the rules at any number of ranks and nodes?
#include "pipeline/machine_layout.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace stemma {
namespace {

std::vector<int> members(const MachineLayout& machine, int level, int index) {
  return machine.ranks_in({level, index});
}

TEST(MachineLayout, FiveRanksOnOneNodeFormTeamsOfTwoAndFourWithoutRankZero) {
  const auto machine = MachineLayout::uniform(5, 5, CoordinatorMode::automatic);
  EXPECT_EQ(machine.workers(), 5);
  EXPECT_EQ(machine.slots(), 8);
  EXPECT_EQ(machine.slot_of(0), 4);
  EXPECT_EQ(machine.rank_of(5), -1);
  EXPECT_TRUE(machine.may_team({2, 0}));
  EXPECT_EQ(members(machine, 2, 0), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(members(machine, 1, 1), (std::vector<int>{3, 4}));
  EXPECT_FALSE(machine.may_team({1, 2}));  // rank 0 and a missing slot
  EXPECT_FALSE(machine.may_team({3, 0}));
  EXPECT_EQ(machine.level_of(4), 2);
  EXPECT_EQ(machine.level_of(8), -1);
}

TEST(MachineLayout, ADedicatedCoordinatorHasNoSlot) {
  const auto machine = MachineLayout::uniform(5, 5, CoordinatorMode::dedicated);
  EXPECT_EQ(machine.slot_of(0), -1);
  EXPECT_EQ(members(machine, 2, 0), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_TRUE(machine.may_team({2, 0}));
}

TEST(MachineLayout, WholeNodesFormTeamsWhereNoneIsTheCoordinators) {
  const auto machine = MachineLayout::uniform(8 * 48, 48, CoordinatorMode::automatic);
  EXPECT_EQ(machine.slots_per_node(), 64);
  EXPECT_EQ(machine.workers(), 8 * 48 - 1);
  EXPECT_EQ(machine.width_at(5), 32);
  EXPECT_EQ(machine.width_at(6), 48);
  EXPECT_EQ(machine.width_at(7), 96);
  EXPECT_EQ(machine.width_at(8), 192);
  EXPECT_EQ(machine.width_at(9), 0);  // would contain the coordinator's node
  EXPECT_FALSE(machine.may_team({6, 0}));
  EXPECT_TRUE(machine.may_team({6, 1}));
  EXPECT_FALSE(machine.may_team({7, 0}));
  EXPECT_TRUE(machine.may_team({5, 0}));
  EXPECT_EQ(members(machine, 6, 1).front(), 48);
  EXPECT_EQ(members(machine, 6, 1).size(), 48U);
}

TEST(MachineLayout, AShortLastNodeIsNoWholeNode) {
  const auto machine = MachineLayout::uniform(40, 16, CoordinatorMode::automatic);  // 16, 16, 8
  EXPECT_TRUE(machine.may_team({4, 1}));
  EXPECT_FALSE(machine.may_team({4, 2}));
  EXPECT_TRUE(machine.may_team({3, 4}));
}

TEST(MachineLayout, HostsMayComeInAnyOrder) {
  const std::vector<std::string> hosts = {"a", "b", "a", "b", "a", "b"};
  const MachineLayout machine = MachineLayout::of_hosts(hosts, CoordinatorMode::automatic);
  EXPECT_EQ(machine.nodes(), 2);
  EXPECT_EQ(machine.slot_of(0), 2);
  EXPECT_EQ(members(machine, 1, 0), (std::vector<int>{2, 4}));
  EXPECT_EQ(members(machine, 1, 2), (std::vector<int>{1, 3}));
  EXPECT_EQ(machine.width_at(2), 3);  // node b as a whole
}

TEST(MachineLayout, EveryRankHasOneSlotAndBlocksNestAtHundredsOfRankCounts) {
  for (int ranks = 1; ranks <= 600; ranks += ranks < 70 ? 1 : 37)
    for (const int per_node : {1, 3, 8, 48, 128})
      for (const CoordinatorMode mode : {CoordinatorMode::automatic, CoordinatorMode::dedicated}) {
        const auto machine = MachineLayout::uniform(ranks, per_node, mode);
        ASSERT_TRUE(std::has_single_bit(static_cast<unsigned>(machine.slots())));
        ASSERT_EQ(machine.workers(), workers_among(ranks, mode));
        int seen = 0;
        for (int slot = 0; slot < machine.slots(); ++slot) {
          const int rank = machine.rank_of(slot);
          if (rank < 0) continue;
          ++seen;
          ASSERT_EQ(machine.slot_of(rank), slot);
          ASSERT_EQ(slot / machine.slots_per_node(), rank / per_node);
        }
        ASSERT_EQ(seen, machine.workers());
        std::set<int> numbers;
        for (int level = 0; level <= machine.top_level(); ++level)
          for (int index = 0; index < machine.slots() >> level; ++index) {
            const Block block{level, index};
            ASSERT_TRUE(numbers.insert(machine.number_of(block)).second);
            ASSERT_EQ(machine.block_of(machine.number_of(block)), block);
            if (!machine.may_team(block)) continue;
            const std::vector<int> team = machine.ranks_in(block);
            ASSERT_EQ(static_cast<int>(team.size()), machine.width_at(level));
            ASSERT_TRUE(std::is_sorted(team.begin(), team.end()));
            if (level > 0) {
              ASSERT_GT(team.front(), 0) << "rank 0 joins no team";
            }
          }
        ASSERT_EQ(*numbers.rbegin(), 2 * machine.slots() - 1);
      }
}

TEST(MachineLayout, NobodyAndTwiceTheSameAreRefused) {
  EXPECT_THROW(MachineLayout({{}}, 1), std::invalid_argument);
  EXPECT_THROW(MachineLayout({{1, 1}}, 2), std::invalid_argument);
}

}  // namespace
}  // namespace stemma
