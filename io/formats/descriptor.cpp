// The system calls behind reading: open, fstat, pread.
#include "io/formats/descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

[[noreturn]] void fail(std::string_view rule, const std::string& path, std::string found, std::string hint) {
  throw InvalidInput({.rule = std::string(rule),
                      .file = file_name_of(path),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

[[noreturn]] void fail_to_open(const std::string& path, std::string found) {
  fail("file.open_failed", path, std::move(found), "path: " + printable(path, 400));
}

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory instead of a file";
  if (S_ISFIFO(mode)) return "a named pipe instead of a file";
  if (S_ISSOCK(mode)) return "a socket instead of a file";
  return "a device instead of a file";
}

struct stat status_of(int descriptor, const std::string& path) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail_to_open(path, std::strerror(errno));
  return status;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

std::string file_name_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path;
  const std::size_t slash = path.find_last_of('/', end);
  return path.substr(slash + 1, end - slash);  // npos + 1 == 0: no directory part
}

Descriptor open_regular(const std::string& path) {
  // Without O_NONBLOCK a FIFO would wait for a writer.
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  int number = open(path.c_str(), flags | O_NOATIME);
  if (number < 0 && errno == EPERM) number = open(path.c_str(), flags);  // O_NOATIME is for owners only
  if (number < 0) {
    std::error_code error;
    const bool dangling = errno == ENOENT && std::filesystem::is_symlink(path, error);
    if (dangling)
      fail("file.open_failed", path, "a link to nothing",
           "the file was never fetched, or was removed. Fetch it again");
    fail_to_open(path, std::strerror(errno));
  }
  Descriptor descriptor(number);
  const struct stat status = status_of(number, path);
  if (!S_ISREG(status.st_mode)) fail_to_open(path, kind_of(status.st_mode));
  posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL);
  return descriptor;
}

std::optional<Descriptor> reopen_direct(const Descriptor& descriptor) {
  // By its number and not by its path, where another file may stand by now.
  const std::string same = fmt::format("/proc/self/fd/{}", descriptor.number());
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_DIRECT;
  int number = open(same.c_str(), flags | O_NOATIME);
  if (number < 0 && errno == EPERM) number = open(same.c_str(), flags);
  if (number < 0) return std::nullopt;
  return Descriptor(number);
}

bool is_cached(const Descriptor& descriptor, std::uint64_t offset, std::uint64_t bytes) {
  const auto here = [&](std::uint64_t at) {
    std::byte byte{};
    const iovec one{&byte, 1};
    return preadv2(descriptor.number(), &one, 1, static_cast<off_t>(at), RWF_NOWAIT) == 1;
  };
  return bytes > 0 && here(offset + bytes / 2) && here(offset + bytes - 1);
}

void forget_pages(const Descriptor& descriptor, std::uint64_t begin, std::uint64_t end) {
  if (begin < end)
    posix_fadvise(descriptor.number(), static_cast<off_t>(begin), static_cast<off_t>(end - begin),
                  POSIX_FADV_DONTNEED);
}

SourceFile measure(const Descriptor& descriptor, const std::string& path) {
  const struct stat status = status_of(descriptor.number(), path);
  SourceFile file;
  file.path = path;
  file.bytes = static_cast<std::uint64_t>(status.st_size);
  file.mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  file.device = status.st_dev;
  file.inode = status.st_ino;
  return file;
}

std::string filesystem_of(const Descriptor& descriptor) {
  struct Kind {
    std::uint32_t magic;
    std::string_view name;
  };
  constexpr std::array<Kind, 5> kinds{{{0x0BD00BD0, "lustre"},
                                       {0x47504653, "gpfs"},
                                       {0x00006969, "nfs"},
                                       {0x19830326, "beegfs"},
                                       {0x00C36400, "ceph"}}};
  struct statfs status {};
  if (fstatfs(descriptor.number(), &status) != 0) return "local";
  for (const Kind& kind : kinds) {
    if (static_cast<std::uint32_t>(status.f_type) == kind.magic) return std::string(kind.name);
  }
  return "local";
}

void fail_to_read(const std::string& path, std::uint64_t offset, int error) {
  fail("file.read_failed", path, std::strerror(error), fmt::format("at byte {}", offset));
}

void fail_short(const std::string& path, std::uint64_t offset, std::size_t bytes, std::size_t found) {
  throw InvalidInput({.rule = "file.short_read",
                      .file = file_name_of(path),
                      .byte_offset = offset,
                      .expected = fmt::format("{} bytes", bytes),
                      .found = fmt::format("{} bytes", found),
                      .hint = "the file ends before the bytes that its header promises"});
}

bool ends_at(const Descriptor& descriptor, const std::string& path, std::uint64_t offset) {
  std::byte next{};
  const ssize_t n = pread(descriptor.number(), &next, 1, static_cast<off_t>(offset));
  if (n < 0) fail_to_read(path, offset, errno);
  return n == 0;
}

void read_exactly(const Descriptor& descriptor, const std::string& path, std::uint64_t offset,
                  std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        pread(descriptor.number(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_to_read(path, offset + done, errno);
    if (n == 0) fail_short(path, offset, out.size(), done);
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace stemma
