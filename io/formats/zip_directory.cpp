// Local headers are held against the directory, and entries must tile the file up to it.
#include "io/formats/zip_directory.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "io/formats/descriptor.hpp"
#include "io/formats/zip_records.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t local_bytes = 30, descriptor_bytes = 16, wide_descriptor_bytes = 24;

std::string shown(const ZipRecord& record) { return fmt::format("\"{}\"", printable(record.name, 100)); }

/// Goes through the entries in the order of their bytes.
class Tiling {
 public:
  Tiling(const SourceFile& file, ByteReader& reader) : file_(file), reader_(reader) {}

  /// Where the data of `record` begin. `next` is where the following entry, or the directory, begins.
  std::uint64_t place(const ZipRecord& record, std::uint64_t next) {
    if (record.local_offset != end_)
      refuse_zip(
          "tiling", file_, record.local_offset, fmt::format("{} begins here", shown(record)),
          fmt::format("{}, where the previous entry ends", end_),
          record.local_offset < end_ ? "two entries would share bytes" : "a hole could hide another file");
    if (next < record.local_offset || next - record.local_offset < local_bytes)
      refuse_zip("tiling", file_, record.local_offset, fmt::format("no room for {}", shown(record)));
    const std::string header = bytes_at(record.local_offset, local_bytes);
    if (!header.starts_with("PK\3\4"sv)) refuse_local(record, "no local header");
    const std::uint64_t name = zip_number<std::uint16_t>(header, 26),
                        extra = zip_number<std::uint16_t>(header, 28);
    const std::uint64_t begin = record.local_offset + local_bytes + name + extra;
    const std::uint64_t tail = record.has_descriptor() ? descriptor_bytes : 0;
    std::uint64_t data_end = 0;
    if (begin > next || __builtin_add_overflow(begin, record.bytes, &data_end) || data_end > next ||
        next - data_end < tail)
      refuse_zip("tiling", file_, record.local_offset,
                 fmt::format("{} needs more bytes than there are before {}", shown(record), next));
    const std::uint64_t behind = next - data_end;
    if (behind != tail && !(record.has_descriptor() && behind == wide_descriptor_bytes))
      refuse_zip("tiling", file_, data_end, fmt::format("{} bytes behind {}", behind, shown(record)),
                 fmt::format("{}", tail), "bytes that belong to no entry could hide another file");
    require_local(record, header, bytes_at(record.local_offset + local_bytes, name + extra), name);
    if (behind != 0) require_descriptor(record, bytes_at(data_end, behind), data_end);
    end_ = next;
    return begin;
  }

 private:
  std::string bytes_at(std::uint64_t offset, std::uint64_t bytes) {
    std::string text(bytes, '\0');
    reader_.read(file_, offset, std::as_writable_bytes(std::span(text)));
    return text;
  }

  [[noreturn]] void refuse_local(const ZipRecord& record, std::string found) const {
    refuse_zip("local_header", file_, record.local_offset, std::move(found),
               fmt::format("what the directory says about {}", shown(record)));
  }

  /// Checksum and sizes stand here, or are left out where a descriptor follows.
  void require_local(const ZipRecord& record, std::string_view header, std::string_view name_and_extra,
                     std::uint64_t name) const {
    if (name_and_extra.substr(0, name) != record.name)
      refuse_local(record, fmt::format("the name \"{}\"", printable(name_and_extra.substr(0, name), 100)));
    if (zip_number<std::uint16_t>(header, 8) != 0) refuse_local(record, "another compression method");
    if (zip_number<std::uint16_t>(header, 6) != record.flags) refuse_local(record, "other flags");
    const bool may_be_left_out = record.has_descriptor();
    const auto crc = zip_number<std::uint32_t>(header, 14);
    if (crc != record.crc && !(may_be_left_out && crc == 0)) refuse_local(record, "another checksum");
    std::uint64_t stored = zip_number<std::uint32_t>(header, 18),
                  bytes = zip_number<std::uint32_t>(header, 22);
    const bool left_out =
        may_be_left_out && ((stored == 0 && bytes == 0) || (stored == ones32 && bytes == ones32));
    if (left_out) return;
    std::vector<std::uint64_t*> wide;
    for (std::uint64_t* const value : {&bytes, &stored})
      if (*value == ones32) wide.push_back(value);
    if (!wide.empty() && !take_zip64(name_and_extra.substr(name), wide))
      refuse_local(record, "no zip64 sizes");
    if (stored != record.bytes || bytes != record.bytes)
      refuse_local(record, fmt::format("sizes {} and {}", stored, bytes));
  }

  void require_descriptor(const ZipRecord& record, std::string_view descriptor, std::uint64_t at) const {
    const bool wide = descriptor.size() == wide_descriptor_bytes;
    const std::uint64_t stored =
        wide ? zip_number<std::uint64_t>(descriptor, 8) : zip_number<std::uint32_t>(descriptor, 8);
    const std::uint64_t bytes =
        wide ? zip_number<std::uint64_t>(descriptor, 16) : zip_number<std::uint32_t>(descriptor, 12);
    if (!descriptor.starts_with("PK\7\10"sv) || zip_number<std::uint32_t>(descriptor, 4) != record.crc ||
        stored != record.bytes || bytes != record.bytes)
      refuse_zip("tiling", file_, at, fmt::format("no descriptor of {}", shown(record)),
                 "checksum and sizes of the directory");
  }

  const SourceFile& file_;
  ByteReader& reader_;
  std::uint64_t end_ = 0;
};

/// The first component that all names share.
std::string root_of(const std::vector<ZipRecord>& records, const SourceFile& file, std::uint64_t begin) {
  const std::string root = records.front().name.substr(0, records.front().name.find('/'));
  const auto other = std::ranges::find_if(
      records, [&](const ZipRecord& record) { return !record.name.starts_with(root + "/"); });
  if (other != records.end())
    refuse_zip("central_directory", file, begin,
               fmt::format("{} beside \"{}\"", shown(*other), printable(root, 100)),
               "all entries in one folder, as torch.save writes them", "unpack other archives first");
  return root;
}

}  // namespace

const ZipEntry* ZipDirectory::find(std::string_view name) const {
  const auto entry = std::ranges::lower_bound(entries, name, {}, &ZipEntry::name);
  return entry != entries.end() && entry->name == name ? &*entry : nullptr;
}

ZipDirectory read_zip_directory(const SourceFile& file, ByteReader& reader) {
  ZipRecords directory = read_zip_records(file, reader);
  ZipDirectory out{.root = root_of(directory.records, file, directory.begin), .entries = {}};
  std::ranges::stable_sort(directory.records, {}, &ZipRecord::local_offset);
  Tiling tiling(file, reader);
  for (std::size_t i = 0; i < directory.records.size(); ++i) {
    const ZipRecord& record = directory.records[i];
    const std::uint64_t next =
        i + 1 < directory.records.size() ? directory.records[i + 1].local_offset : directory.begin;
    out.entries.push_back({.name = record.name.substr(out.root.size() + 1),
                           .offset = tiling.place(record, next),
                           .bytes = record.bytes,
                           .crc = record.crc});
  }
  std::ranges::sort(out.entries, {}, &ZipEntry::name);
  const auto twice = std::ranges::adjacent_find(out.entries, {}, &ZipEntry::name);
  if (twice != out.entries.end())
    refuse_zip("central_directory", file, directory.begin,
               fmt::format("two entries \"{}\"", printable(twice->name, 100)), "every name once",
               "which of them counts would be a guess");
  return out;
}

std::vector<char> read_zip_entry(const ZipEntry& entry, const SourceFile& file, ByteReader& reader) {
  std::vector<char> bytes(entry.bytes);
  reader.read(file, entry.offset, std::as_writable_bytes(std::span(bytes)));
  const auto crc =
      static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  if (crc != entry.crc && entry.has_checksum())
    refuse_zip("crc", file, entry.offset,
               fmt::format("checksum {:08X} of \"{}\"", crc, printable(entry.name, 100)),
               fmt::format("{:08X}", entry.crc), "the file was damaged: fetch it again");
  return bytes;
}

}  // namespace stemma
