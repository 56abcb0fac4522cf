// Which way do the bytes of this file system come best: through the page cache or past it?
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

enum class DirectReading : std::uint8_t { automatic, always, never };

/// Chooses for each mount, and remembers where O_DIRECT was refused. Shared by all readers of a process;
/// every function may be called from any thread.
///
/// automatic: past the page cache on Lustre for requests of 4 MiB and more, where the client's cache is
/// slower than its servers; through the cache elsewhere. always: past it everywhere, for requests of 256 KiB
/// and more (with smaller ones the pages around them would cost too much). never: through the cache.
class ReadingPolicy {
 public:
  explicit ReadingPolicy(DirectReading mode = DirectReading::automatic) : mode_(mode) {}

  /// Shall a request of `bytes` go past the page cache? `filesystem` as filesystem_of() says it, `device` as
  /// in SourceFile.
  bool wants_direct(std::string_view filesystem, std::uint64_t device, std::size_t bytes) const;

  /// The mount of this file takes no O_DIRECT: it is not asked again.
  void direct_refused(std::uint64_t device, const std::string& path);

  /// One sentence for each mount that refused.
  std::vector<std::string> notes() const;

 private:
  DirectReading mode_;
  mutable std::mutex access_;
  std::map<std::uint64_t, std::string> refused_;  ///< device -> a file on it
};

}  // namespace stemma
