// Do whole pages around a piece hold the piece, and does a refused O_DIRECT cost nothing but itself?
#include "io/formats/fetch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>

#include "io/formats/reading_policy.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::TemporaryDirectory;

TEST(PageWindow, IsTheLeastThatHoldsThePiece) {
  for (const std::uint64_t offset : {0UL, 1UL, 4095UL, 4096UL, 4097UL, (1UL << 40) + 5})
    for (const std::size_t bytes : {1UL, 2UL, 4095UL, 4096UL, 4097UL, 16UL << 20}) {
      const PageWindow window = window_around(offset, bytes);
      EXPECT_EQ(window.begin % page_bytes, 0U);
      EXPECT_EQ(window.bytes % page_bytes, 0U);
      EXPECT_EQ(window.begin + window.head, offset);
      EXPECT_LT(window.head, page_bytes);
      EXPECT_GE(window.head + window.bytes, bytes);
      EXPECT_GE(window.bytes, window.head + bytes);
      EXPECT_LT(window.bytes, window.head + bytes + page_bytes);
    }
}

TEST(PageBuffer, BeginsOnAPageAndHasRoomForBothEnds) {
  PageBuffer buffer;
  for (const std::size_t bytes : {1U, 4096U, 100000U, 7U}) {
    buffer.make_room(bytes);
    const auto room = buffer.first(window_around(page_bytes - 1, bytes).bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(room.data()) % page_bytes, 0U);
    room.back() = std::byte{1};
  }
}

std::string text_of(const Fetched& fetched) {
  return {reinterpret_cast<const char*>(fetched.piece.data()), fetched.piece.size()};
}

TEST(Fetch, FallsBackWhereDirectReadsAreRefused) {
  const TemporaryDirectory directory;
  std::string content(300000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  directory.write("a", content);
  const std::string path = directory.path("a");
  const Descriptor buffered = open_regular(path);
  // A name of a namespace can be opened, and every read of it is EINVAL: what a mount without O_DIRECT says.
  const Descriptor refusing(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  ASSERT_GE(refusing.number(), 0);
  PageBuffer buffer;
  buffer.make_room(content.size());
  const Fetched fetched = fetch({path, buffered, &refusing}, 5, 290000, buffer);
  EXPECT_TRUE(fetched.direct_refused);
  EXPECT_EQ(text_of(fetched), content.substr(5, 290000));
  EXPECT_FALSE(fetch({path, buffered}, 5, 290000, buffer).direct_refused);
}

TEST(Fetch, OtherErrorsAreErrors) {
  const TemporaryDirectory directory;
  directory.write("a", "0123456789");
  const std::string path = directory.path("a");
  const Descriptor buffered = open_regular(path),
                   folder(open(directory.path().c_str(), O_RDONLY | O_CLOEXEC));
  PageBuffer buffer;
  buffer.make_room(10);
  EXPECT_EQ(fixtures::rule_of_refusal([&] {
              fetch({path, buffered, &folder}, 0, 10, buffer);
            }),
            "file.read_failed");
  EXPECT_EQ(fixtures::rule_of_refusal([&] { fetch({path, buffered}, 8, 4, buffer); }), "file.short_read");
}

TEST(ReopenDirect, NothingWhereTheFileSystemDoesNotOfferIt) {
  EXPECT_FALSE(reopen_direct(open_regular("/proc/self/status")));
}

TEST(ReadingPolicy, ByFileSystemRequestAndExperience) {
  constexpr std::size_t mib = 1 << 20;
  ReadingPolicy automatic, always(DirectReading::always), never(DirectReading::never);
  EXPECT_TRUE(automatic.wants_direct("lustre", 1, 4 * mib));
  EXPECT_FALSE(automatic.wants_direct("lustre", 1, 4 * mib - 1));
  for (const char* other : {"gpfs", "nfs", "beegfs", "ceph", "local"})
    EXPECT_FALSE(automatic.wants_direct(other, 1, 16 * mib)) << other;
  EXPECT_TRUE(always.wants_direct("local", 1, 16 * mib));
  EXPECT_FALSE(always.wants_direct("local", 1, 100));
  EXPECT_FALSE(never.wants_direct("lustre", 1, 16 * mib));

  EXPECT_TRUE(always.notes().empty());
  const TemporaryDirectory directory;
  directory.write("a", "x");
  struct stat status {};
  ASSERT_EQ(stat(directory.path("a").c_str(), &status), 0);
  always.direct_refused(1, "/absent/a");
  always.direct_refused(1, "/absent/b");
  always.direct_refused(status.st_dev, directory.path("a"));
  EXPECT_EQ(always.notes().size(), 2U) << "once for each mount";
  EXPECT_FALSE(always.wants_direct("local", 1, 16 * mib));
  EXPECT_TRUE(always.wants_direct("local", 2, 16 * mib)) << "another mount is asked anew";
  const auto names = [&](const std::string& mount) {
    for (const std::string& note : always.notes())
      if (note.find("at " + mount + " takes no O_DIRECT") != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(names("/absent/a")) << "nothing above it is on that device";
  EXPECT_FALSE(names(directory.path("a"))) << "a mount is a directory, not a file on it";
}

}  // namespace
}  // namespace stemma
