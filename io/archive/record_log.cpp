// How is a record appended so that a torn tail never looks like a result?
#include "io/archive/record_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::array<char, 4> record_magic{'S', 'T', 'R', 'C'}, index_magic{'S', 'T', 'R', 'X'};

struct Header {
  std::array<char, 4> magic{};
  std::uint32_t version = 2;
  std::uint64_t length = 0;
  std::uint64_t sum = 0;
};
static_assert(sizeof(Header) == 24);

/// The last bytes of a sealed log.
struct Ending {
  std::uint64_t index = 0;  ///< offset
  std::array<char, 8> magic{'S', 'T', 'R', 'C', 'e', 'n', 'd', 's'};
};
static_assert(sizeof(Ending) == 16);

std::uint64_t padded(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

// All of `size` bytes, or the errno; ENODATA when the file ends before.
int read_all(int file, std::uint64_t offset, void* out, std::size_t size) {
  auto* at = static_cast<std::byte*>(out);
  while (size > 0) {
    const ssize_t n = pread(file, at, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? ENODATA : errno;
    at += n;
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

int write_all(int file, std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? EIO : errno;
    offset += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

[[noreturn]] void damaged(const std::string& path, std::uint64_t offset, std::string found) {
  throw InvalidInput({.rule = "record.damaged",
                      .file = path,
                      .byte_offset = offset,
                      .expected = "a whole record with the right check sum",
                      .found = std::move(found),
                      .hint = "the result must be computed again"});
}

}  // namespace

RecordLog::RecordLog(std::string path, int file, std::uint64_t end)
    : path_(std::move(path)), file_(file), end_(end) {}

RecordLog RecordLog::create(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) throw StorageError(path.string(), "", "create", errno);
  return {path.string(), file, 0};
}

RecordLog RecordLog::open(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0) {
    const int error = errno;
    if (file >= 0) ::close(file);
    throw StorageError(path.string(), "", "open", error);
  }
  return {path.string(), file, static_cast<std::uint64_t>(status.st_size)};
}

RecordLog::~RecordLog() {
  if (file_ >= 0) ::close(file_);
}

RecordLog::RecordLog(RecordLog&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), end_(other.end_) {}

RecordLog& RecordLog::operator=(RecordLog&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(end_, other.end_);
  return *this;
}

std::uint64_t RecordLog::append(std::span<const std::byte> payload) { return append(payload, record_magic); }

std::uint64_t RecordLog::append(std::span<const std::byte> payload, const std::array<char, 4>& magic) {
  Header header{.magic = magic};
  header.length = payload.size();
  header.sum = XXH3_64bits(payload.data(), payload.size());
  std::vector<std::byte> record(sizeof header + padded(payload.size()));
  std::memcpy(record.data(), &header, sizeof header);
  if (!payload.empty()) std::memcpy(record.data() + sizeof header, payload.data(), payload.size());

  const std::uint64_t offset = end_;
  if (const int error = write_all(file_, offset, record); error != 0) {
    // What was written of it is cut off; should even that fail, the next append writes over it.
    [[maybe_unused]] const int cut = ftruncate(file_, static_cast<off_t>(offset));
    throw StorageError(path_, "", "append to", error);
  }
  end_ += record.size();
  return offset;
}

std::vector<std::byte> RecordLog::read(std::uint64_t offset) const { return read(offset, record_magic); }

std::vector<std::byte> RecordLog::read(std::uint64_t offset, const std::array<char, 4>& magic) const {
  if (offset > end_ || end_ - offset < sizeof(Header))
    damaged(path_, offset, fmt::format("the file ends at byte {}", end_));
  const auto fetch = [&](std::uint64_t at, void* out, std::size_t size) {
    const int error = read_all(file_, at, out, size);
    if (error == ENODATA) damaged(path_, at, "the file has become shorter");
    if (error != 0) throw StorageError(path_, "", "read", error);
  };
  Header header;
  fetch(offset, &header, sizeof header);
  if (header.magic != magic) damaged(path_, offset, "no record begins here");
  if (header.version != Header{}.version)
    damaged(path_, offset, fmt::format("record version {}", header.version));
  if (header.length > end_ - offset - sizeof header)
    damaged(path_, offset, fmt::format("a length of {} bytes in a file of {}", header.length, end_));
  std::vector<std::byte> payload(header.length);
  fetch(offset + sizeof header, payload.data(), payload.size());
  if (XXH3_64bits(payload.data(), payload.size()) != header.sum) damaged(path_, offset, "another check sum");
  return payload;
}

std::uint64_t RecordLog::scan(
    std::uint64_t from,
    const std::function<void(std::uint64_t offset, std::span<const std::byte> payload)>& use) const {
  std::uint64_t behind = from;
  for (std::uint64_t at = from; at + sizeof(Header) <= end_;) {
    std::vector<std::byte> payload;
    try {
      payload = read(at);
    } catch (const InvalidInput&) {
      at += 8;  // records begin at multiples of 8, and only a record has its own check sum
      continue;
    }
    use(at, payload);
    behind = at += sizeof(Header) + padded(payload.size());
  }
  return behind;
}

void RecordLog::sync() {
  if (fsync(file_) != 0) throw StorageError(path_, "", "sync", errno);
}

void RecordLog::seal(std::span<const std::byte> index) {
  const Ending ending{.index = append(index, index_magic)};
  if (const int error = write_all(file_, end_, std::as_bytes(std::span(&ending, 1))); error != 0)
    throw StorageError(path_, "", "append to", error);
  end_ += sizeof ending;
  sync();
  if (fchmod(file_, 0444) != 0) throw StorageError(path_, "", "protect", errno);
}

std::optional<std::vector<std::byte>> RecordLog::index() const {
  Ending ending;
  if (end_ < sizeof ending || read_all(file_, end_ - sizeof ending, &ending, sizeof ending) != 0 ||
      ending.magic != Ending{}.magic)
    return std::nullopt;
  try {
    return read(ending.index, index_magic);
  } catch (const InvalidInput&) {
    return std::nullopt;  // its records still prove themselves
  }
}

}  // namespace stemma
