// A small cache of open files, each compared with what the survey saw.
#include "io/formats/file_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

/// A smaller tensor costs the page cache little, and its neighbours may want the same pages.
constexpr std::uint64_t least_forgotten = std::uint64_t{1} << 20;

std::uint64_t page_of(std::uint64_t offset) { return offset / page_bytes * page_bytes; }

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

const std::shared_ptr<FileReader::OpenFile>& FileReader::opened(const SourceFile& file) {
  const auto known = std::find_if(files_.begin(), files_.end(),
                                  [&](const auto& open) { return open->source.path == file.path; });
  if (known != files_.end()) {
    require_same(file, (*known)->source);
    files_.splice(files_.begin(), files_, known);
    return files_.front();
  }
  Descriptor descriptor = open_regular(file.path);
  SourceFile now = measure(descriptor, file.path);
  require_same(file, now);
  std::string filesystem = filesystem_of(descriptor);
  while (!files_.empty() && files_.size() >= open_files_) files_.pop_back();
  files_.push_front(std::make_shared<OpenFile>(
      OpenFile{std::move(now), std::move(descriptor), std::move(filesystem), std::nullopt}));
  return files_.front();
}

const Descriptor* FileReader::direct_channel(OpenFile& file, std::size_t piece_bytes) {
  if (!policy_->wants_direct(file.filesystem, file.source.device, piece_bytes)) return nullptr;
  if (!file.direct) file.direct = reopen_direct(file.descriptor);
  if (!file.direct) policy_->direct_refused(file.source.device, file.source.path);
  return file.direct ? &*file.direct : nullptr;
}

void FileReader::read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) {
  if (file.decoding) return decoded_.read(file, offset, out);
  read_exactly(opened(file)->descriptor, file.path, offset, out);
  bytes_read_ += out.size();
}

void FileReader::stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                        std::size_t piece_bytes, const PieceSink& take) {
  if (file.decoding) return decoded_.stream(file, offset, bytes, piece_bytes, take);
  const std::shared_ptr<OpenFile> open = opened(file);  // `take` may open others and close this one
  const std::size_t longest = std::min<std::uint64_t>(piece_bytes, bytes);
  const std::uint64_t pieces = (bytes + piece_bytes - 1) / piece_bytes;
  const Descriptor* direct = direct_channel(*open, longest);
  const bool whole_file = offset == 0 && bytes == file.bytes;
  const bool forget = direct == nullptr && bytes >= least_forgotten && !whole_file &&
                      !is_cached(open->descriptor, offset, bytes);
  for (std::size_t slot = 0; slot < std::min<std::uint64_t>(pieces, buffers_.size()); ++slot)
    buffers_[slot].make_room(longest);  // here, and not on a thread that should have no memory of its own
  const auto fetch_piece = [&](std::uint64_t index, std::size_t slot) {
    const std::uint64_t at = index * piece_bytes;
    const std::size_t length = std::min<std::uint64_t>(piece_bytes, bytes - at);
    const Fetched fetched = fetch({file.path, open->descriptor, direct}, offset + at, length, buffers_[slot]);
    bytes_read_ += fetched.requested;
    if (fetched.direct_refused) {
      policy_->direct_refused(open->source.device, file.path);
      direct = nullptr;
    }
    if (forget)  // up to the last page that is over; never the one that this tensor's neighbour ends in
      forget_pages(open->descriptor, page_of(index == 0 ? offset + page_bytes - 1 : offset + at),
                   page_of(offset + at + length));
    return fetched.piece;
  };
  ahead_.run(pieces, fetch_piece, take);
}

void FileReader::check(const SourceFile& file) {
  if (file.decoding) {
    decoded_.release();
    for (const EncodedPart& part : file.decoding->parts) check(part.file);
    return;
  }
  require_same(file, measure(opened(file)->descriptor, file.path));
  require_same(file,
               stat_source(file.path));  // a replaced file leaves the old one behind the open descriptor
}

}  // namespace stemma
