// Are bytes read where they lie, and is every change of the file noticed?
#include "io/formats/file_reader.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using fixtures::TemporaryDirectory;

std::string read(FileReader& reader, const SourceFile& file, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  reader.read(file, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

TEST(FileReader, ReadsAndCounts) {
  const TemporaryDirectory directory;
  directory.write("a", "0123456789");
  const SourceFile file = stat_source(directory.path("a"));
  EXPECT_EQ(file.bytes, 10U);
  EXPECT_FALSE(file.filesystem.empty());
  struct stat status {};
  ASSERT_EQ(stat(directory.path("a").c_str(), &status), 0);
  EXPECT_EQ(file.inode, status.st_ino);
  EXPECT_EQ(file.mtime_ns, status.st_mtim.tv_sec * 1'000'000'000L + status.st_mtim.tv_nsec);
  FileReader reader;
  EXPECT_EQ(read(reader, file, 3, 4), "3456");
  EXPECT_EQ(read(reader, file, 10, 0), "");
  EXPECT_EQ(reader.bytes_read(), 4U);
}

TEST(FileReader, MoreFilesThanDescriptors) {
  const TemporaryDirectory directory;
  std::vector<SourceFile> files;
  for (int i = 0; i < 5; ++i) {
    directory.write(fmt::format("{}", i), fmt::format("file {}", i));
    files.push_back(stat_source(directory.path(fmt::format("{}", i))));
  }
  const auto open_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = open_now();
  FileReader reader(2);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < files.size(); ++i)
      EXPECT_EQ(read(reader, files[i], 5, 1), fmt::format("{}", i));
  }
  EXPECT_EQ(open_now() - before, 2);
}

TEST(FileReader, ShortReadSaysHowShort) {
  const TemporaryDirectory directory;
  directory.write("a", "0123456789");
  FileReader reader;
  try {
    read(reader, stat_source(directory.path("a")), 8, 4);
    FAIL();
  } catch (const InvalidInput& refused) {
    EXPECT_EQ(refused.finding().rule, "file.short_read");
    EXPECT_EQ(refused.finding().expected, "4 bytes");
    EXPECT_EQ(refused.finding().found, "2 bytes");
    EXPECT_EQ(refused.finding().byte_offset, 8U);
  }
}

TEST(FileReader, TruncatedOrGrownBeforeItIsOpened) {
  const TemporaryDirectory directory;
  for (const std::uint64_t bytes : {4U, 40U}) {
    directory.write("a", "0123456789");
    const SourceFile file = stat_source(directory.path("a"));
    std::filesystem::resize_file(directory.path("a"), bytes);
    FileReader reader;
    EXPECT_EQ(rule_of_refusal([&] { read(reader, file, 0, 4); }), "file.changed_while_reading");
  }
}

TEST(FileReader, ChangesWhileItIsOpen) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("a");
  directory.write("a", "0123456789");
  const SourceFile file = stat_source(path);
  FileReader reader;
  read(reader, file, 0, 4);
  EXPECT_EQ(rule_of_refusal([&] { reader.check(file); }), "");

  const auto time = std::filesystem::last_write_time(path);
  std::filesystem::last_write_time(path, time + std::chrono::seconds(1));
  EXPECT_EQ(rule_of_refusal([&] { reader.check(file); }), "file.changed_while_reading");
  std::filesystem::last_write_time(path, time);
  EXPECT_EQ(rule_of_refusal([&] { reader.check(file); }), "");

  directory.write("b", "abcdefghij");
  std::filesystem::last_write_time(directory.path("b"), time);
  std::filesystem::rename(directory.path("b"), path);
  EXPECT_EQ(read(reader, file, 0, 4), "0123") << "the open file is still the one that was surveyed";
  FileReader later;
  EXPECT_EQ(rule_of_refusal([&] { read(later, file, 0, 4); }), "file.changed_while_reading");
}

TEST(FileReader, OnlyRegularFiles) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.path("fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(directory.path("directory"));
  std::filesystem::create_symlink("loop", directory.path("loop"));
  for (const char* name : {"fifo", "directory", "loop", "absent"}) {
    EXPECT_EQ(rule_of_refusal([&] { stat_source(directory.path(name)); }), "file.open_failed") << name;
  }
  EXPECT_EQ(rule_of_refusal([&] { stat_source("/dev/null"); }), "file.open_failed");
}

TEST(FileReader, NoPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryDirectory directory;
  directory.write("a", "x");
  std::filesystem::permissions(directory.path("a"), std::filesystem::perms::none);
  EXPECT_EQ(rule_of_refusal([&] { stat_source(directory.path("a")); }), "file.open_failed");
}

std::string noise(std::size_t bytes) {
  std::mt19937_64 random(bytes);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// All pieces of a stream, one after the other.
std::string streamed(FileReader& reader, const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                     std::size_t piece_bytes) {
  std::string text;
  reader.stream(file, offset, bytes, piece_bytes, [&](std::span<const std::byte> piece) {
    EXPECT_EQ(piece.size(), std::min<std::uint64_t>(piece_bytes, bytes - text.size()));
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

std::shared_ptr<ReadingPolicy> policy(DirectReading mode) { return std::make_shared<ReadingPolicy>(mode); }

TEST(FileReader, StreamsEveryRangeThroughTheCacheAndPastIt) {
  const TemporaryDirectory directory;
  const std::string content = noise((3 << 20) + 1234);
  directory.write("a", content);
  const SourceFile file = stat_source(directory.path("a"));
  for (const DirectReading mode : {DirectReading::automatic, DirectReading::always, DirectReading::never}) {
    FileReader reader(64, policy(mode));
    for (const std::uint64_t offset : {0, 1, 4095, 4096, 4097, 123457})
      for (const std::uint64_t bytes : {0UL, 1UL, 4096UL, 300001UL, (2UL << 20) + 3, file.bytes - offset})
        for (const std::size_t piece : {std::size_t{1} << 16, std::size_t{300001}, std::size_t{16} << 20}) {
          const std::uint64_t before = reader.bytes_read();
          ASSERT_EQ(streamed(reader, file, offset, bytes, piece), content.substr(offset, bytes))
              << offset << " " << bytes << " " << piece;
          const double asked = static_cast<double>(reader.bytes_read() - before);
          EXPECT_GE(asked, static_cast<double>(bytes));
          EXPECT_LE(asked, 1.05 * static_cast<double>(bytes)) << offset << " " << bytes << " " << piece;
        }
  }
}

TEST(FileReader, SmallFilesAndOddTails) {
  const TemporaryDirectory directory;
  for (const std::size_t size : {1U, 100U, 4095U, 4096U, 4097U, 300000U}) {
    const std::string content = noise(size);
    directory.write("a", content);
    const SourceFile file = stat_source(directory.path("a"));
    FileReader reader(64, policy(DirectReading::always));
    EXPECT_EQ(streamed(reader, file, 0, size, 1 << 20), content);
    EXPECT_EQ(streamed(reader, file, size - 1, 1, 1 << 20), content.substr(size - 1));
    EXPECT_LE(reader.bytes_read(), size + 1) << "nothing behind the end was counted";
  }
}

/// Pieces that are whole arrive, then the sentence; a second reading of the same reader works again.
TEST(FileReader, TruncatedWhileItStreams) {
  const TemporaryDirectory directory;
  for (const DirectReading mode : {DirectReading::always, DirectReading::never}) {
    const std::string content = noise(4 << 20);
    directory.write("a", content);
    directory.write("b", content);
    const SourceFile file = stat_source(directory.path("a"));
    FileReader reader(64, policy(mode));
    std::size_t taken = 0;
    try {
      reader.stream(file, 100, (4 << 20) - 100, 1 << 20, [&](std::span<const std::byte> piece) {
        if (taken == 0) std::filesystem::resize_file(directory.path("a"), (3 << 20) + 500);
        taken += piece.size();
      });
      FAIL();
    } catch (const InvalidInput& refused) {
      EXPECT_EQ(refused.finding().rule, "file.short_read");
      EXPECT_EQ(refused.finding().byte_offset, (3U << 20U) + 100U);
      EXPECT_EQ(refused.finding().expected, "1048476 bytes");
      EXPECT_EQ(refused.finding().found, "400 bytes");
    }
    EXPECT_EQ(taken, 3U << 20U);
    EXPECT_EQ(rule_of_refusal([&] { reader.check(file); }), "file.changed_while_reading");
    EXPECT_EQ(streamed(reader, stat_source(directory.path("b")), 0, 4 << 20, 1 << 20), content);
  }
}

TEST(FileReader, ATakerMayThrowAndReadOtherFiles) {
  const TemporaryDirectory directory;
  const std::string content = noise(4 << 20);
  directory.write("a", content);
  directory.write("b", "0123456789");
  const SourceFile file = stat_source(directory.path("a")), other = stat_source(directory.path("b"));
  FileReader reader(1);  // reading b closes a for the cache, not for the stream
  for (int stop = 0; stop < 4; ++stop) {
    int pieces = 0;
    EXPECT_THROW(reader.stream(file, 0, 4 << 20, 1 << 20,
                               [&](std::span<const std::byte>) {
                                 EXPECT_EQ(read(reader, other, 2, 3), "234");
                                 if (pieces++ == stop) throw std::runtime_error("enough");
                               }),
                 std::runtime_error);
    EXPECT_EQ(pieces, stop + 1);
  }
  EXPECT_EQ(streamed(reader, file, 7, 3 << 20, 1 << 20), content.substr(7, 3 << 20));
}

/// Writes a file whose pages are on disk and not in the cache.
SourceFile cold(const TemporaryDirectory& directory, const std::string& name, const std::string& content) {
  directory.write(name, content);
  const int number = open(directory.path(name).c_str(), O_RDONLY);
  fsync(number);
  posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED);
  close(number);
  return stat_source(directory.path(name));
}

TEST(FileReader, LeavesTheCacheAsItWas) {
  const TemporaryDirectory directory;
  const std::string content = noise(8 << 20);
  const SourceFile file = cold(directory, "a", content);
  const Descriptor descriptor = open_regular(file.path);
  if (is_cached(descriptor, 0, file.bytes)) GTEST_SKIP() << "this file system keeps its pages";
  FileReader reader(64, policy(DirectReading::never));
  EXPECT_EQ(streamed(reader, file, 5000, 6 << 20, 1 << 20), content.substr(5000, 6 << 20));
  EXPECT_FALSE(is_cached(descriptor, 5000, 6 << 20)) << "a tensor that went by is forgotten";
  EXPECT_TRUE(is_cached(descriptor, 4096, 1)) << "the page that its neighbour begins in is not";

  EXPECT_EQ(streamed(reader, file, 0, 8 << 20, 1 << 20), content);
  EXPECT_TRUE(is_cached(descriptor, 0, 8 << 20)) << "a whole file stays: its tensors are read too";
  EXPECT_EQ(streamed(reader, file, 5000, 6 << 20, 1 << 20), content.substr(5000, 6 << 20));
  EXPECT_TRUE(is_cached(descriptor, 5000, 6 << 20)) << "what was there before stays";
}

TEST(Descriptor, FileNames) {
  EXPECT_EQ(file_name_of("/a/b/c.safetensors"), "c.safetensors");
  EXPECT_EQ(file_name_of("/a/b/"), "b");
  EXPECT_EQ(file_name_of("c"), "c");
  EXPECT_EQ(file_name_of("/"), "/");
}

}  // namespace
}  // namespace stemma
