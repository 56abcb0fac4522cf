// Are bytes read where they lie, and is every change of the file noticed?
#include "io/formats/file_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using testing::rule_of_refusal;
using testing::TemporaryDirectory;

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

TEST(Descriptor, FileNames) {
  EXPECT_EQ(file_name_of("/a/b/c.safetensors"), "c.safetensors");
  EXPECT_EQ(file_name_of("/a/b/"), "b");
  EXPECT_EQ(file_name_of("c"), "c");
  EXPECT_EQ(file_name_of("/"), "/");
}

}  // namespace
}  // namespace stemma
