// The same steps as for a real archive, with one small dataset.
#include "io/archive/storage_trial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <system_error>

#include "io/archive/durable.hpp"
#include "io/archive/hdf5.hpp"
#include "io/archive/storage_error.hpp"

namespace stemma {
namespace {

bool can_lock(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool locked = flock(file, LOCK_SH | LOCK_NB) == 0;
  close(file);
  return locked;
}

std::uint64_t write_and_read(const std::filesystem::path& before, const std::filesystem::path& after) {
  const std::array<std::uint64_t, 1> values{42};
  {
    h5::File file = h5::File::create(before.string());
    file.create_dataset("trial", h5::Type::u8, {{1}, {1}, {1}})
        .write(h5::Type::u8, {0}, {1}, std::as_bytes(std::span(values)));
    file.close();
  }
  publish_file(before, after);
  std::array<std::uint64_t, 1> found{};
  h5::File::open(after.string())
      .dataset("trial")
      .read(h5::Type::u8, {0}, {1}, std::as_writable_bytes(std::span(found)));
  return found[0];
}

}  // namespace

StorageTrial try_storage(const std::filesystem::path& directory) {
  const std::filesystem::path after = directory / fmt::format("stemma-doctor-{}.h5", getpid());
  const std::filesystem::path before = after.string() + ".tmp";
  StorageTrial trial;
  try {
    if (write_and_read(before, after) != 42)
      trial.problem = "what was written was read back as something else";
    trial.locks = can_lock(after);
  } catch (const StorageError& error) {
    trial.problem = error.problem();
  }
  std::error_code ignored;
  std::filesystem::remove(before, ignored);
  std::filesystem::remove(after, ignored);
  return trial;
}

std::string hdf5_library() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
#ifdef H5_HAVE_PARALLEL
  constexpr const char* flavour = "parallel";
#else
  constexpr const char* flavour = "serial";
#endif
  return fmt::format("{}.{}.{} ({})", major, minor, release, flavour);
}

}  // namespace stemma
