// Is every limit on the way up respected, and is page cache that can be dropped counted as free?
#include "pipeline/control_group.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// A directory tree that looks as Linux shows control groups.
class ControlGroups : public testing::Test {
 protected:
  ~ControlGroups() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void group_2(const fs::path& at, const std::string& limit, int current, int inactive) const {
    write(at / "memory.max", limit + "\n");
    write(at / "memory.current", fmt::format("{}\n", current));
    write(at / "memory.stat", fmt::format("anon 1\nfile 77\ninactive_anon 5\ninactive_file {}\n", inactive));
  }
  void group_1(const fs::path& at, std::uint64_t limit, int usage, int inactive) const {
    write(at / "memory.limit_in_bytes", fmt::format("{}\n", limit));
    write(at / "memory.usage_in_bytes", fmt::format("{}\n", usage));
    write(at / "memory.stat", fmt::format("inactive_file 3\ntotal_inactive_file {}\n", inactive));
  }
  std::uint64_t room() const { return control_group_room({root_ / "mount", root_ / "self"}); }

  fs::path root_ = fs::temp_directory_path() / fmt::format("stemma-control-groups-{}", getpid());
};

TEST_F(ControlGroups, NothingLimitsWhereThereAreNone) { EXPECT_EQ(room(), unlimited); }

TEST_F(ControlGroups, PageCacheThatCanBeDroppedIsFree) {
  write("self", "0::/\n");
  group_2("mount", "1000", 990, 900);
  EXPECT_EQ(room(), 910U);
}

TEST_F(ControlGroups, MoreThanTheLimitIsNoRoom) {
  write("self", "0::/\n");
  group_2("mount", "1000", 1200, 100);
  EXPECT_EQ(room(), 0U);
}

TEST_F(ControlGroups, MoreCacheThanUseIsNoUse) {
  write("self", "0::/\n");
  group_2("mount", "1000", 100, 300);
  EXPECT_EQ(room(), 1000U);
}

TEST_F(ControlGroups, TheLeastRoomOnTheWayUpCounts) {
  write("self", "0::/slice/job/step\n");
  group_2("mount/slice", "5000", 4000, 0);
  group_2("mount/slice/job", "3000", 500, 0);
  group_2("mount/slice/job/step", "max", 400, 0);
  group_2("mount/slice/other", "10", 10, 0);
  EXPECT_EQ(room(), 1000U);  // of slice, although job has the smaller limit
  group_2("mount/slice/job/step", "700", 400, 50);
  EXPECT_EQ(room(), 350U);
}

TEST_F(ControlGroups, InAContainerTheMountIsTheGroup) {
  write("self", "0::/system.slice/docker-abc.scope\n");
  group_2("mount", "1000", 300, 0);
  EXPECT_EQ(room(), 700U);
}

TEST_F(ControlGroups, VersionOneCountsTheCacheOfAllBelow) {
  write("self", "9:name=systemd:/\n4:cpu,memory:/job/step\n2:cpuset:/elsewhere\n");
  group_1("mount/memory", 9223372036854771712U, 5000, 0);  // as Linux writes "no limit"
  group_1("mount/memory/job", 2000, 1500, 600);
  group_1("mount/memory/job/step", 9223372036854771712U, 5000, 0);
  group_1("mount/memory/elsewhere", 10, 10, 0);
  EXPECT_EQ(room(), 1100U);
}

TEST_F(ControlGroups, BothVersionsAtOnce) {
  write("self", "4:memory:/job\n0::/job\n");
  group_1("mount/memory/job", 2000, 500, 0);
  group_2("mount/unified/job", "1000", 400, 0);
  EXPECT_EQ(room(), 600U);
}

}  // namespace
}  // namespace stemma
