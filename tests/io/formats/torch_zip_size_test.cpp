// Are large archives of torch.save opened in bounded time, and read where their numbers lie?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "io/formats/container.hpp"
#include "io/formats/file_reader.hpp"
#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/torch_fixtures.hpp"

namespace stemma {
namespace {

using fixtures::floats;
using fixtures::torch_content;
using fixtures::zip_of;
using fixtures::ZipContent;
using ::testing::ElementsAre;
using namespace fixtures::pickled;
using namespace std::string_literals;

TEST(TorchZipSize, AHundredThousandTensors) {
  constexpr int count = 100'000;
  std::string value = "}(";
  for (int i = 0; i < count; ++i)
    value += text("layers." + std::to_string(i)) +
             rebuilt({.key = std::to_string(i), .elements = 1, .shape = {1}, .strides = {1}});
  const std::vector<std::string> storages(count, "1234");
  fixtures::TemporaryDirectory directory;
  ZipContent content = torch_content(whole(value + "u"), storages);
  // The 16-bit count is all ones and the zip64 record counts.
  fixtures::Zip zip = zip_of(content);
  fixtures::put64(zip.bytes, zip.end64 + 24, content.size());
  fixtures::put64(zip.bytes, zip.end64 + 32, content.size());
  fixtures::put16(zip.bytes, zip.end + 8, 0xFFFF);
  fixtures::put16(zip.bytes, zip.end + 10, 0xFFFF);
  directory.write("model.pt", zip.bytes);
  const auto start = std::chrono::steady_clock::now();
  FileReader reader;
  const Container container = open_container(stat_source(directory.path("model.pt")), reader);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(container.tensors.size(), static_cast<std::size_t>(count));
  EXPECT_LT(took.count(), 15) << "linear in the number of tensors";
  RecordProperty("seconds", std::to_string(took.count()));
}

TEST(TorchZipSize, FourGibibytesInZip64) {
  // A hole of 4 GiB and a row behind it: nothing but the row is read.
  constexpr std::uint64_t hole = std::uint64_t{1} << 32, bytes = hole + 64;
  const std::string pickle = whole(dict({{"end", rebuilt({.elements = static_cast<std::int64_t>(bytes / 4),
                                                          .offset = static_cast<std::int64_t>(hole / 4),
                                                          .shape = {2},
                                                          .strides = {1}})}}));
  fixtures::Zip zip = zip_of({{"m/data.pkl", pickle}, {"m/data/0", ""}}, {.wide_descriptors = true});
  // The last entry grows: data, descriptor and directory move behind the hole.
  const std::string wide = "\1\0\x10\0"s + fixtures::raw(bytes) + fixtures::raw(bytes);
  fixtures::put64(zip.bytes, zip.data[1] + 8, bytes);
  fixtures::put64(zip.bytes, zip.data[1] + 16, bytes);
  fixtures::put32(zip.bytes, zip.central[1] + 20, 0xFFFF'FFFF);
  fixtures::put32(zip.bytes, zip.central[1] + 24, 0xFFFF'FFFF);
  fixtures::put16(zip.bytes, zip.central[1] + 30, static_cast<std::uint16_t>(wide.size()));
  fixtures::put64(zip.bytes, zip.end64 + 40, zip.end64 - zip.directory + wide.size());
  fixtures::put64(zip.bytes, zip.end64 + 48, zip.directory + bytes);
  fixtures::put64(zip.bytes, zip.end64 + 56 + 8, zip.end64 + wide.size() + bytes);
  fixtures::put32(zip.bytes, zip.end + 12,
                  static_cast<std::uint32_t>(zip.end64 - zip.directory + wide.size()));
  fixtures::put32(zip.bytes, zip.end + 16, 0xFFFF'FFFF);
  zip.bytes.insert(zip.end64, wide);
  fixtures::TemporaryDirectory directory;
  const std::string path = directory.path("model.pt");
  directory.write("model.pt", zip.bytes.substr(0, zip.data[1]));
  std::filesystem::resize_file(path, zip.data[1] + hole);
  std::ofstream(path, std::ios::binary | std::ios::app) << floats(16) << zip.bytes.substr(zip.data[1]);
  const auto start = std::chrono::steady_clock::now();
  FileReader reader;
  const SourceFile file = stat_source(path);
  const Container container = open_container(file, reader);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 5);
  EXPECT_LT(reader.bytes_read(), 100'000U);
  ASSERT_EQ(container.tensors.size(), 1U);
  std::vector<float> values(2);
  reader.read(file, container.tensors[0].offset, std::as_writable_bytes(std::span(values)));
  EXPECT_THAT(values, ElementsAre(1, 2));
}

}  // namespace
}  // namespace stemma
