// How is a file sealed, and the seal checked?
#include "io/archive/seal.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "io/archive/storage_error.hpp"

namespace stemma {
namespace {

struct Seal {
  std::array<char, 8> magic{'S', 'T', 'E', 'M', 'S', 'E', 'A', 'L'};
  std::uint64_t bytes = 0;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Seal&) const = default;
};
static_assert(sizeof(Seal) == 32);

class OpenFile {
 public:
  OpenFile(const std::filesystem::path& path, int flags)
      : path_(path.string()), file_(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (file_ < 0) fail("open");
  }
  ~OpenFile() { ::close(file_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  [[noreturn]] void fail(const char* verb) const { throw StorageError(path_, "", verb, errno); }

  std::uint64_t size() const {
    const off_t end = lseek(file_, 0, SEEK_END);
    if (end < 0) fail("measure");
    return static_cast<std::uint64_t>(end);
  }

  // Fewer bytes than asked for only at the end of the file.
  std::size_t read(std::uint64_t offset, void* out, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t n =
          pread(file_, static_cast<char*>(out) + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("read");
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  void append(const void* data, std::size_t size) const {
    const std::uint64_t end = this->size();
    const ssize_t n = pwrite(file_, data, size, static_cast<off_t>(end));
    if (n < 0 || static_cast<std::size_t>(n) != size) fail("write");
  }

 private:
  std::string path_;
  int file_;
};

Seal seal_for(const OpenFile& file, std::uint64_t bytes) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<std::byte> block(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < bytes;) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes - at));
    const std::size_t n = file.read(at, block.data(), wanted);
    if (n == 0) break;
    XXH3_128bits_update(state.get(), block.data(), n);
    at += n;
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  Seal result;
  result.bytes = bytes;
  result.high = hash.high64;
  result.low = hash.low64;
  return result;
}

/// The last bytes of the file, when they are a seal.
std::optional<Seal> found_seal(const OpenFile& file) {
  const std::uint64_t size = file.size();
  Seal found;
  if (size < sizeof found || file.read(size - sizeof found, &found, sizeof found) != sizeof found ||
      found.magic != Seal{}.magic)
    return std::nullopt;
  return found;
}

}  // namespace

void seal(const std::filesystem::path& path) {
  const OpenFile file(path, O_RDWR);
  const Seal made = seal_for(file, file.size());
  file.append(&made, sizeof made);
}

SealState seal_of(const std::filesystem::path& path) {
  const OpenFile file(path, O_RDONLY | O_NONBLOCK);
  const auto found = found_seal(file);
  if (!found) return SealState::absent;
  return *found == seal_for(file, file.size() - sizeof *found) ? SealState::intact : SealState::broken;
}

bool has_seal(const std::filesystem::path& path) {
  return found_seal(OpenFile(path, O_RDONLY | O_NONBLOCK)).has_value();
}

bool has_hdf5_signature(const std::filesystem::path& path) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> head{};
  return OpenFile(path, O_RDONLY | O_NONBLOCK).read(0, head.data(), head.size()) == head.size() &&
         head == signature;
}

}  // namespace stemma
