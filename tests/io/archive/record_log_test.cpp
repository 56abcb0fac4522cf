// Does a record log give back what it took, and nothing else?
#include "io/archive/record_log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <xxhash.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"
#include "tests/io/archive/sample.hpp"

namespace stemma {
namespace {

std::vector<std::byte> payload(std::size_t size, int seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>(31 * i + static_cast<std::size_t>(seed));
  return bytes;
}

std::string rule_of(const RecordLog& log, std::uint64_t offset) {
  try {
    (void)log.read(offset);
    return "";
  } catch (const InvalidInput& e) {
    return e.finding().rule;
  }
}

TEST(RecordLog, GivesBackWhatItTook) {
  const sample::Scratch scratch;
  RecordLog log = RecordLog::create(scratch / "a.rec");
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 20; ++i) offsets.push_back(log.append(payload(static_cast<std::size_t>(i), i)));
  log.sync();
  for (const std::uint64_t offset : offsets) EXPECT_EQ(offset % 8, 0);
  const RecordLog moved = std::move(log);
  const RecordLog reopened = RecordLog::open(scratch / "a.rec");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(moved.read(offsets[static_cast<std::size_t>(i)]), payload(static_cast<std::size_t>(i), i));
    EXPECT_EQ(reopened.read(offsets[static_cast<std::size_t>(i)]), payload(static_cast<std::size_t>(i), i));
  }
  EXPECT_EQ(reopened.bytes(), std::filesystem::file_size(scratch / "a.rec"));
}

TEST(RecordLog, LaysBytesOutAsDocumented) {
  const sample::Scratch scratch;
  const auto bytes = payload(11, 3);
  RecordLog::create(scratch / "a.rec").append(bytes);
  std::ifstream in(scratch / "a.rec", std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(in)), {});
  ASSERT_EQ(file.size(), 4 + 4 + 8 + 8 + 16U);
  EXPECT_EQ(file.substr(0, 4), "STRC");
  std::uint32_t version = 0;
  std::uint64_t length = 0;
  std::uint64_t sum = 0;
  std::memcpy(&version, &file[4], 4);
  std::memcpy(&length, &file[8], 8);
  std::memcpy(&sum, &file[16], 8);
  EXPECT_EQ(version, 2);
  EXPECT_EQ(length, 11);
  EXPECT_EQ(sum, XXH3_64bits(bytes.data(), bytes.size()));
  EXPECT_EQ(file.substr(35), std::string(5, '\0'));
}

TEST(RecordLog, EveryFlippedByteIsNoticed) {
  const sample::Scratch scratch;
  RecordLog::create(scratch / "a.rec").append(payload(16, 1));
  for (int at = 0; at < 40; ++at) {
    std::fstream file(scratch / "a.rec", std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x10));
    file.close();
    EXPECT_EQ(rule_of(RecordLog::open(scratch / "a.rec"), 0), "record.damaged") << "byte " << at;
    file.open(scratch / "a.rec", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(at);
    file.put(static_cast<char>(byte));
  }
  EXPECT_EQ(rule_of(RecordLog::open(scratch / "a.rec"), 0), "");
}

TEST(RecordLog, TornTailIsNoticed) {
  const sample::Scratch scratch;
  RecordLog::create(scratch / "a.rec").append(payload(16, 1));
  for (std::uint64_t size = 39;; --size) {
    std::filesystem::resize_file(scratch / "a.rec", size);
    EXPECT_EQ(rule_of(RecordLog::open(scratch / "a.rec"), 0), "record.damaged") << size << " bytes";
    if (size == 0) break;
  }
  EXPECT_EQ(rule_of(RecordLog::open(scratch / "a.rec"), 4096), "record.damaged");
}

TEST(RecordLog, RefusesToReplaceAFile) {
  const sample::Scratch scratch;
  (void)RecordLog::create(scratch / "a.rec");
  EXPECT_THROW((void)RecordLog::create(scratch / "a.rec"), StorageError);
  EXPECT_THROW((void)RecordLog::open(scratch / "b.rec"), StorageError);
}

// The limit on file sizes stands for a full disk: the kernel refuses the write in the same place.
TEST(RecordLog, FullDiskIsOneClearSentenceAndLosesNothing) {
  const sample::Scratch scratch;
  RecordLog log = RecordLog::create(scratch / "a.rec");
  const std::uint64_t first = log.append(payload(1000, 1));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{2000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  try {
    log.append(payload(5000, 2));
    ADD_FAILURE() << "wrote past the limit";
  } catch (const StorageError& e) {
    EXPECT_TRUE(e.no_space());
    EXPECT_EQ(e.file(), log.path());
    EXPECT_NE(std::string(e.what()).find("no space left in " + scratch.path().string()), std::string::npos);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(log.read(first), payload(1000, 1));
  EXPECT_EQ(std::filesystem::file_size(scratch / "a.rec"), log.bytes());
  EXPECT_EQ(log.read(log.append(payload(5000, 2))), payload(5000, 2));
}

}  // namespace
}  // namespace stemma
