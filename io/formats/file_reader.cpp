// A small cache of open files, each compared with what the survey saw.
#include "io/formats/file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

void require_same(const SourceFile& surveyed, const SourceFile& now) {
  const auto fail = [&](std::string expected, std::string found) {
    throw InvalidInput(
        {.rule = "file.changed_while_reading",
         .file = file_name_of(surveyed.path),
         .expected = std::move(expected),
         .found = std::move(found),
         .hint = "the file was written or replaced after it was surveyed; run again when it rests"});
  };
  if (now.bytes != surveyed.bytes) {
    fail(fmt::format("{} bytes", surveyed.bytes), fmt::format("{} bytes", now.bytes));
  }
  if (now.mtime_ns != surveyed.mtime_ns) {
    fail(fmt::format("modified at {} ns", surveyed.mtime_ns), fmt::format("modified at {} ns", now.mtime_ns));
  }
  if (now.device != surveyed.device || now.inode != surveyed.inode) {
    fail(fmt::format("inode {}", surveyed.inode), fmt::format("inode {}", now.inode));
  }
}

}  // namespace

SourceFile stat_source(const std::string& path) {
  const Descriptor descriptor = open_regular(path);
  SourceFile file = measure(descriptor, path);
  file.filesystem = filesystem_of(descriptor);
  return file;
}

const FileReader::OpenFile& FileReader::opened(const SourceFile& file) {
  const auto known = std::find_if(files_.begin(), files_.end(),
                                  [&](const OpenFile& open) { return open.source.path == file.path; });
  if (known != files_.end()) {
    require_same(file, known->source);
    files_.splice(files_.begin(), files_, known);
    return files_.front();
  }
  Descriptor descriptor = open_regular(file.path);
  SourceFile now = measure(descriptor, file.path);
  require_same(file, now);
  while (!files_.empty() && files_.size() >= open_files_) files_.pop_back();
  files_.push_front({std::move(now), std::move(descriptor)});
  return files_.front();
}

void FileReader::read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) {
  read_exactly(opened(file).descriptor, file.path, offset, out);
  bytes_read_ += out.size();
}

void FileReader::check(const SourceFile& file) {
  require_same(file, measure(opened(file).descriptor, file.path));
  require_same(file,
               stat_source(file.path));  // a replaced file leaves the old one behind the open descriptor
}

}  // namespace stemma
