// Are archives of real writers read, and is every rule of a stored zip held against those that break it?
#include "io/formats/zip_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/torch_fixtures.hpp"

namespace stemma {
namespace {

using fixtures::MemoryReader;
using fixtures::put16;
using fixtures::put32;
using fixtures::put64;
using fixtures::rule_of_refusal;
using fixtures::Zip;
using fixtures::zip_of;
using fixtures::ZipContent;
using fixtures::ZipLayout;
using namespace std::string_literals;

const ZipContent content{{"m/data.pkl", "pickle"}, {"m/data/0", "0123456789"}, {"m/version", "3\n"}};

ZipDirectory directory_of(const std::string& bytes) {
  MemoryReader reader(bytes);
  return read_zip_directory(reader.file(), reader);
}

std::string zip_refusal(const std::string& bytes) {
  return rule_of_refusal([&] { directory_of(bytes); });
}

/// The archive after `change`.
std::string refusal_after(const std::function<void(Zip&)>& change, const ZipLayout& layout = {}) {
  Zip zip = zip_of(content, layout);
  change(zip);
  return zip_refusal(zip.bytes);
}

TEST(ZipDirectory, LayoutsOfRealWriters) {
  for (const ZipLayout& layout :
       {ZipLayout{}, ZipLayout{.wide_descriptors = true}, ZipLayout{.padded = false},
        ZipLayout{.zip64 = false}, ZipLayout{.descriptors = false},
        ZipLayout{.descriptors = false, .padded = false, .zip64 = false}}) {
    const Zip zip = zip_of(content, layout);
    MemoryReader reader(zip.bytes);
    const ZipDirectory directory = read_zip_directory(reader.file(), reader);
    EXPECT_EQ(directory.root, "m");
    ASSERT_EQ(directory.entries.size(), 3U);
    for (std::size_t i = 0; i < content.size(); ++i) {
      const ZipEntry* const entry = directory.find(content[i].first.substr(2));
      ASSERT_NE(entry, nullptr);
      EXPECT_EQ(entry->offset, zip.data[i]);
      const std::vector<char> bytes = read_zip_entry(*entry, reader.file(), reader);
      EXPECT_EQ(std::string(bytes.begin(), bytes.end()), content[i].second);
    }
    EXPECT_EQ(directory.find("data"), nullptr);
  }
}

TEST(ZipDirectory, SizesInZip64Fields) {
  // All ones in the 32-bit fields, the values in extra fields, here and there.
  Zip zip = zip_of({{"m/data.pkl", "pickle"}}, {.descriptors = false, .padded = false, .zip64 = false});
  std::string& bytes = zip.bytes;
  const std::string local_extra =
      "\1\0\x10\0"s + fixtures::raw(std::uint64_t{6}) + fixtures::raw(std::uint64_t{6});
  const std::string central_extra = "\1\0\x18\0"s + fixtures::raw(std::uint64_t{6}) +
                                    fixtures::raw(std::uint64_t{6}) + fixtures::raw(std::uint64_t{0});
  for (const std::size_t at : {zip.central[0] + 20, zip.central[0] + 24, zip.central[0] + 42})
    put32(bytes, at, 0xFFFF'FFFF);
  put16(bytes, zip.central[0] + 30, 28);
  bytes.insert(zip.central[0] + 46 + 10, central_extra);
  put32(bytes, 18, 0xFFFF'FFFF);
  put32(bytes, 22, 0xFFFF'FFFF);
  put16(bytes, 28, 20);
  bytes.insert(30 + 10, local_extra);
  put32(bytes, bytes.size() - 10, 46 + 10 + 28);
  put32(bytes, bytes.size() - 6, static_cast<std::uint32_t>(zip.directory + 20));
  const ZipDirectory directory = directory_of(bytes);
  EXPECT_EQ(directory.entries.at(0).bytes, 6U);
  EXPECT_EQ(directory.entries.at(0).offset, 60U);
  std::string short_extra = bytes;
  put16(short_extra, zip.directory + 20 + 46 + 10 + 2, 16);  // the offset is missing
  EXPECT_EQ(zip_refusal(short_extra), "zip.zip64");
  std::string liar = bytes;
  put64(liar, 30 + 10 + 4, 7);
  EXPECT_EQ(zip_refusal(liar), "zip.local_header");
}

TEST(ZipDirectory, NoEndRecord) {
  EXPECT_EQ(zip_refusal("PK\3\4"), "zip.no_eocd");
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes.pop_back(); }), "zip.no_eocd");
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes += "x"; }), "zip.no_eocd");
  EXPECT_EQ(refusal_after([](Zip& zip) {
              put16(zip.bytes, zip.end + 20, 5);
              zip.bytes += "hello";
            }),
            "zip.no_eocd")
      << "a comment";
}

TEST(ZipDirectory, Zip64) {
  EXPECT_EQ(refusal_after([](Zip& zip) { put64(zip.bytes, zip.end64 + 56 + 8, zip.end64 - 1); }),
            "zip.zip64");
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes[zip.end64] = 'Q'; }), "zip.zip64");
  EXPECT_EQ(refusal_after([](Zip& zip) { put64(zip.bytes, zip.end64 + 4, 45); }), "zip.zip64");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end64 + 56 + 16, 2); }), "zip.zip64");
  EXPECT_EQ(refusal_after([](Zip& zip) { put64(zip.bytes, zip.end64 + 24, 2); }), "zip.zip64")
      << "counts differ";
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end + 16, 5); }), "zip.zip64")
      << "offsets differ";
  const ZipLayout plain{.zip64 = false};
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end + 16, 0xFFFF'FFFF); }, plain), "zip.zip64");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end + 16, 0xFFFF'FFFF); }), "")
      << "as it should be";
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.central[0] + 24, 0xFFFF'FFFF); }), "zip.zip64");
}

TEST(ZipDirectory, CentralDirectory) {
  const ZipLayout plain{.zip64 = false};
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.end + 4, 1); }, plain),
            "zip.central_directory");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end + 12, 10); }, plain),
            "zip.central_directory");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.end + 16, 0xFFFF'FFFE); }, plain),
            "zip.central_directory");
  for (const std::uint16_t count : {std::uint16_t{0}, std::uint16_t{2}, std::uint16_t{4}})
    EXPECT_EQ(refusal_after(
                  [&](Zip& zip) {
                    put16(zip.bytes, zip.end + 8, count);
                    put16(zip.bytes, zip.end + 10, count);
                  },
                  plain),
              "zip.central_directory")
        << count;
  EXPECT_EQ(refusal_after([](Zip& zip) {
              for (const std::size_t at : {24, 32}) put64(zip.bytes, zip.end64 + at, 1 << 21);
              for (const std::size_t at : {8, 10}) put16(zip.bytes, zip.end + at, 0xFFFF);
            }),
            "zip.central_directory")
      << "two million entries";
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes[zip.central[1]] = 'Q'; }), "zip.central_directory");
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.central[2] + 30, 1); }),
            "zip.central_directory");
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.central[1] + 34, 1); }),
            "zip.central_directory");
}

TEST(ZipDirectory, Names) {
  const auto named = [](const std::string& name) {
    return zip_refusal(zip_of({{"m/a", "x"}, {name, "y"}}).bytes);
  };
  EXPECT_EQ(named("m/b"), "");
  EXPECT_EQ(named("m/" + std::string(1022, 'n')), "");
  for (const std::string& name : {""s, "m/"s + std::string(1023, 'n'), "m/a\0b"s, "m\\b"s, "/m/b"s, "m//b"s,
                                  "m/"s, "m/../b"s, "../b"s, "b"s, "other/b"s, "m/a"s})
    EXPECT_EQ(named(name), "zip.central_directory") << name;
}

TEST(ZipDirectory, MethodAndFlags) {
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.central[1] + 10, 8); }), "zip.method");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.central[1] + 20, 3); }), "zip.method");
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.central[1] + 8, 0x0809); }), "zip.flags")
      << "encrypted";
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.central[1] + 8, 0x0828); }), "zip.flags")
      << "a patch";
}

TEST(ZipDirectory, LocalHeaders) {
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes[zip.local[1]] = 'Q'; }), "zip.local_header");
  EXPECT_EQ(refusal_after([](Zip& zip) { zip.bytes[zip.local[1] + 30] = 'n'; }), "zip.local_header");
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.local[1] + 8, 8); }), "zip.local_header");
  EXPECT_EQ(refusal_after([](Zip& zip) { put16(zip.bytes, zip.local[1] + 6, 0x0008); }), "zip.local_header");
  const ZipLayout plain{.descriptors = false};
  for (const std::size_t field : {14, 18, 22}) {
    EXPECT_EQ(refusal_after([&](Zip& zip) { put32(zip.bytes, zip.local[1] + field, 0); }, plain),
              "zip.local_header")
        << field << ": nothing follows that would say it";
    EXPECT_EQ(refusal_after([&](Zip& zip) { put32(zip.bytes, zip.local[1] + field, 77); }),
              "zip.local_header")
        << field;
  }
  EXPECT_EQ(refusal_after([](Zip& zip) {
              for (const std::size_t field : {18, 22}) put32(zip.bytes, zip.local[1] + field, 0xFFFF'FFFF);
            }),
            "");
}

TEST(ZipDirectory, Tiling) {
  // Bytes before, between and behind the entries, and an entry that begins inside another.
  const auto shifted = [](Zip& zip, std::size_t at, std::size_t first) {
    zip.bytes.insert(at, "xyz");
    for (std::size_t i = 0; i < 3; ++i)
      if (i >= first) put32(zip.bytes, zip.central[i] + 3 + 42, static_cast<std::uint32_t>(zip.local[i] + 3));
    put32(zip.bytes, zip.end + 3 + 16, static_cast<std::uint32_t>(zip.directory + 3));
  };
  const ZipLayout plain{.zip64 = false};
  EXPECT_EQ(refusal_after([&](Zip& zip) { shifted(zip, 0, 0); }, plain), "zip.tiling");
  EXPECT_EQ(refusal_after([&](Zip& zip) { shifted(zip, zip.local[1], 1); }, plain), "zip.tiling");
  EXPECT_EQ(refusal_after([&](Zip& zip) { shifted(zip, zip.directory, 3); }, plain), "zip.tiling");
  EXPECT_EQ(refusal_after([](Zip& zip) {
              put32(zip.bytes, zip.central[2] + 42, static_cast<std::uint32_t>(zip.data[1]));
            }),
            "zip.tiling");
  EXPECT_EQ(refusal_after([](Zip& zip) { put32(zip.bytes, zip.central[1] + 42, 0); }), "zip.tiling")
      << "overlap";
  for (const std::size_t field : {20, 24})
    EXPECT_NE(refusal_after([&](Zip& zip) { put32(zip.bytes, zip.central[1] + field, 9); }), "");
  EXPECT_EQ(refusal_after([](Zip& zip) {
              for (const std::size_t field : {20, 24}) put32(zip.bytes, zip.central[1] + field, 9);
            }),
            "zip.tiling");
  EXPECT_EQ(refusal_after([](Zip& zip) {
              for (const std::size_t field : {20, 24}) put32(zip.bytes, zip.central[1] + field, 0xFFFF'FFF0);
            }),
            "zip.tiling");
  for (const std::size_t field : {0, 4, 8, 12})
    EXPECT_EQ(refusal_after([&](Zip& zip) { put32(zip.bytes, zip.data[1] + 10 + field, 77); }), "zip.tiling")
        << "descriptor " << field;
}

TEST(ZipDirectory, Checksum) {
  const Zip zip = zip_of(content);
  std::string bytes = zip.bytes;
  bytes[zip.data[0]] = 'P';
  MemoryReader reader(bytes);
  const ZipDirectory directory = read_zip_directory(reader.file(), reader);
  EXPECT_EQ(rule_of_refusal([&] { read_zip_entry(*directory.find("data.pkl"), reader.file(), reader); }),
            "zip.crc");
  EXPECT_EQ(rule_of_refusal([&] { read_zip_entry(*directory.find("data/0"), reader.file(), reader); }), "");
}

TEST(ZipDirectory, ChecksumsLeftOut) {
  Zip zip = zip_of(content);
  put32(zip.bytes, zip.central[0] + 16, 0);
  put32(zip.bytes, zip.data[0] + content[0].second.size() + 4, 0);
  MemoryReader reader(zip.bytes);
  const ZipDirectory directory = read_zip_directory(reader.file(), reader);
  EXPECT_FALSE(directory.find("data.pkl")->has_checksum());
  EXPECT_EQ(rule_of_refusal([&] { read_zip_entry(*directory.find("data.pkl"), reader.file(), reader); }), "");
}

TEST(ZipDirectory, EveryByteThatIsLost) {
  // Cut anywhere, and with any byte of the structure turned: refused or unharmed, never a crash.
  const Zip zip = zip_of(content);
  for (std::size_t bytes = 0; bytes < zip.bytes.size(); ++bytes)
    EXPECT_NE(zip_refusal(zip.bytes.substr(0, bytes)), "") << bytes;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < zip.bytes.size(); ++at) {
    std::string turned = zip.bytes;
    turned[at] = static_cast<char>(~turned[at]);
    refused += !zip_refusal(turned).empty();
  }
  EXPECT_GT(refused, 300U);
}

}  // namespace
}  // namespace stemma
