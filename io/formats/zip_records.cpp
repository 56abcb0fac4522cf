// The end record, its zip64 companion, and the records between the entries and the end.
#include "io/formats/zip_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t end_bytes = 22, locator_bytes = 20, end64_bytes = 56;
constexpr std::size_t record_bytes = 46;
/// Bit 3: sizes follow the data. Bit 11: names are UTF-8. Others encrypt, patch or compress.
constexpr std::uint16_t known_flags = 1U << 3U | 1U << 11U;

std::string bytes_at(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes, ByteReader& reader) {
  std::string text(bytes, '\0');
  reader.read(file, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

/// What the end of the file says about the directory.
struct End {
  std::uint64_t count = 0, size = 0, offset = 0;
  std::uint64_t directory_end = 0;  ///< where the first end record begins
};

class EndReader {
 public:
  EndReader(const SourceFile& file, ByteReader& reader) : file_(file), reader_(reader) {}

  End read() const {
    if (file_.bytes < end_bytes)
      refuse_zip("no_eocd", file_, 0, fmt::format("a file of {} bytes", file_.bytes), "", cut_off);
    const std::uint64_t at = file_.bytes - end_bytes;
    const std::string record = bytes_at(file_, at, end_bytes, reader_);
    if (!record.starts_with("PK\5\6"sv) || zip_number<std::uint16_t>(record, 20) != 0)
      refuse_zip("no_eocd", file_, at, "no end record in the last 22 bytes", "", cut_off);
    const auto disk = zip_number<std::uint16_t>(record, 4), first_disk = zip_number<std::uint16_t>(record, 6);
    const auto here = zip_number<std::uint16_t>(record, 8), count = zip_number<std::uint16_t>(record, 10);
    const auto size = zip_number<std::uint32_t>(record, 12), offset = zip_number<std::uint32_t>(record, 16);
    End end{.count = count, .size = size, .offset = offset, .directory_end = at};
    const bool escapes = disk == ones16 || first_disk == ones16 || here == ones16 || count == ones16 ||
                         size == ones32 || offset == ones32;
    const std::string locator =
        at < locator_bytes ? "" : bytes_at(file_, at - locator_bytes, locator_bytes, reader_);
    if (!locator.starts_with("PK\6\7"sv)) {
      if (escapes) refuse_zip("zip64", file_, at, "32-bit fields that are all ones", "a zip64 end record");
      if (disk != 0 || first_disk != 0 || here != count)
        refuse_zip("central_directory", file_, at, "an archive of several disks", "one disk");
      return end;
    }
    return with_zip64(end, {disk, first_disk, here, count, size, offset}, locator);
  }

 private:
  static constexpr const char* cut_off =
      "the file was cut off, something was appended to it, or it is no archive: fetch it again";

  /// The 32-bit record holds the same numbers, or all ones.
  End with_zip64(End end, const std::array<std::uint64_t, 6>& narrow, const std::string& locator) const {
    const std::uint64_t locator_at = end.directory_end - locator_bytes;
    const auto at = zip_number<std::uint64_t>(locator, 8);
    if (locator_at < end64_bytes || at != locator_at - end64_bytes)
      refuse_zip("zip64", file_, locator_at, fmt::format("an end record at {}", at),
                 "one directly before its locator");
    if (zip_number<std::uint32_t>(locator, 4) != 0 || zip_number<std::uint32_t>(locator, 16) != 1)
      refuse_zip("zip64", file_, locator_at, "an archive of several disks", "one disk");
    const std::string record = bytes_at(file_, at, end64_bytes, reader_);
    if (!record.starts_with("PK\6\6"sv) || zip_number<std::uint64_t>(record, 4) != end64_bytes - 12)
      refuse_zip("zip64", file_, at, "no zip64 end record of 56 bytes", "");
    const std::array<std::uint64_t, 6> wide{
        zip_number<std::uint32_t>(record, 16), zip_number<std::uint32_t>(record, 20),
        zip_number<std::uint64_t>(record, 24), zip_number<std::uint64_t>(record, 32),
        zip_number<std::uint64_t>(record, 40), zip_number<std::uint64_t>(record, 48)};
    for (std::size_t i = 0; i < wide.size(); ++i) {
      const std::uint64_t ones = i < 4 ? ones16 : ones32;
      if (narrow[i] != ones && narrow[i] != wide[i])
        refuse_zip("zip64", file_, at, fmt::format("{} here and {} in the end record", wide[i], narrow[i]),
                   "the same number");
    }
    if (wide[0] != 0 || wide[1] != 0 || wide[2] != wide[3])
      refuse_zip("zip64", file_, at, "an archive of several disks", "one disk");
    return {.count = wide[3], .size = wide[4], .offset = wide[5], .directory_end = at};
  }

  const SourceFile& file_;
  ByteReader& reader_;
};

class RecordParser {
 public:
  RecordParser(const SourceFile& file, std::string_view directory, std::uint64_t begin)
      : file_(file), directory_(directory), begin_(begin) {}

  ZipRecord next() {
    const std::uint64_t here = begin_ + at_;
    const std::string_view rest = directory_.substr(at_);
    if (rest.size() < record_bytes || !rest.starts_with("PK\1\2"sv))
      refuse_zip("central_directory", file_, here, "no record", "as many as the end record says");
    const std::uint64_t name = zip_number<std::uint16_t>(rest, 28),
                        extra = zip_number<std::uint16_t>(rest, 30),
                        comment = zip_number<std::uint16_t>(rest, 32);
    if (rest.size() - record_bytes < name + extra + comment)
      refuse_zip("central_directory", file_, here, "a record that leaves the directory");
    ZipRecord record{.name = std::string(rest.substr(record_bytes, name)),
                     .flags = zip_number<std::uint16_t>(rest, 8),
                     .crc = zip_number<std::uint32_t>(rest, 16),
                     .bytes = zip_number<std::uint32_t>(rest, 24),
                     .local_offset = zip_number<std::uint32_t>(rest, 42)};
    require_name(record.name, here);
    if ((record.flags & ~known_flags) != 0)
      refuse_zip("flags", file_, here, fmt::format("flags 0x{:04X}", record.flags), "only bits 3 and 11",
                 "encrypted or patched entries are not read");
    const auto method = zip_number<std::uint16_t>(rest, 10);
    if (method != 0)
      refuse_zip("method", file_, here,
                 fmt::format("compression method {} of \"{}\"", method, printable(record.name, 100)),
                 "0, stored", "torch.save compresses nothing, and nothing is decompressed here");
    std::uint64_t compressed = zip_number<std::uint32_t>(rest, 20),
                  disk = zip_number<std::uint16_t>(rest, 34);
    std::vector<std::uint64_t*> wide;
    for (std::uint64_t* const value : {&record.bytes, &compressed, &record.local_offset})
      if (*value == ones32) wide.push_back(value);
    if (disk == ones16) wide.push_back(&disk);
    if (!wide.empty() && !take_zip64(rest.substr(record_bytes + name, extra), wide))
      refuse_zip("zip64", file_, here, "fields that are all ones without their zip64 values");
    if (disk != 0) refuse_zip("central_directory", file_, here, "an archive of several disks", "one disk");
    if (compressed != record.bytes)
      refuse_zip("method", file_, here, fmt::format("{} bytes stored of {}", compressed, record.bytes),
                 "equal sizes");
    at_ += record_bytes + name + extra + comment;
    return record;
  }

  bool at_end() const { return at_ == directory_.size(); }
  std::uint64_t offset() const { return begin_ + at_; }

 private:
  /// A relative path of two components or more, none of them empty or "..".
  void require_name(std::string_view name, std::uint64_t here) const {
    const char* fault = nullptr;
    if (name.empty() || name.size() > limits::zip_name_bytes) fault = "a name of 1 to 1,024 bytes";
    if (name.find_first_of("\0\\"sv) != std::string_view::npos) fault = "a name without NUL and backslash";
    std::size_t components = 0;
    for (std::size_t begin = 0; begin <= name.size() && fault == nullptr; ++components) {
      const std::size_t end = std::min(name.find('/', begin), name.size());
      const std::string_view component = name.substr(begin, end - begin);
      if (component.empty() || component == "..") fault = "a name without empty components and ..";
      begin = end + 1;
    }
    if (fault == nullptr && components < 2) fault = "all entries in one folder, as torch.save writes them";
    if (fault != nullptr)
      refuse_zip("central_directory", file_, here, fmt::format("\"{}\"", printable(name, 100)), fault,
                 "unpack other archives first");
  }

  const SourceFile& file_;
  std::string_view directory_;
  std::uint64_t begin_;
  std::size_t at_ = 0;
};

}  // namespace

void refuse_zip(std::string_view rule, const SourceFile& file, std::uint64_t offset, std::string found,
                std::string expected, std::string hint) {
  throw InvalidInput({.rule = fmt::format("zip.{}", rule),
                      .file = file_name_of(file.path),
                      .byte_offset = offset,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

bool take_zip64(std::string_view extra, const std::vector<std::uint64_t*>& wanted) {
  while (extra.size() >= 4) {
    const auto id = zip_number<std::uint16_t>(extra, 0), size = zip_number<std::uint16_t>(extra, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) return false;
    if (id == 1) {
      std::size_t at = 0;
      for (std::uint64_t* const value : wanted) {
        // The disk is the last and narrower than the rest.
        const std::size_t width = *value == ones16 ? 4 : 8;
        if (at + width > size) return false;
        *value = width == 4 ? zip_number<std::uint32_t>(extra, at) : zip_number<std::uint64_t>(extra, at);
        at += width;
      }
      return true;
    }
    extra.remove_prefix(size);
  }
  return false;
}

ZipRecords read_zip_records(const SourceFile& file, ByteReader& reader) {
  const End end = EndReader(file, reader).read();
  std::uint64_t stop = 0;
  if (__builtin_add_overflow(end.offset, end.size, &stop) || stop != end.directory_end)
    refuse_zip("central_directory", file, end.directory_end,
               fmt::format("{} bytes at {}", end.size, end.offset),
               "a directory that ends at its end record");
  if (end.count == 0 || end.count > limits::zip_entries || end.size > limits::zip_directory_bytes)
    refuse_zip(
        "central_directory", file, end.offset, fmt::format("{} entries in {} bytes", end.count, end.size),
        fmt::format("1 to {} entries in at most {} bytes", limits::zip_entries, limits::zip_directory_bytes));
  const std::string directory = bytes_at(file, end.offset, end.size, reader);
  RecordParser parser(file, directory, end.offset);
  ZipRecords out{.records = {}, .begin = end.offset};
  for (std::uint64_t i = 0; i < end.count; ++i) out.records.push_back(parser.next());
  if (!parser.at_end())
    refuse_zip("central_directory", file, parser.offset(), "bytes behind the last record",
               "as many records as the end record says");
  return out;
}

}  // namespace stemma
