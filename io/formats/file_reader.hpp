// How do bytes of a checkpoint's files get into memory, and how do we notice that a file changed meanwhile?
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "io/formats/decoded_bytes.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/fetch.hpp"
#include "io/formats/read_ahead.hpp"
#include "io/formats/reading_policy.hpp"
#include "io/model/byte_reader.hpp"

namespace stemma {

/// A file as it is now: opened, found regular, measured. Throws InvalidInput (file.open_failed) for anything
/// that is not a readable regular file; a FIFO does not block.
SourceFile stat_source(const std::string& path);

/// Descriptors that a reader keeps, twice as many where it reads past the page cache.
inline constexpr std::size_t most_open_files = 64;

/// Reads with pread; files stay open, the least recently used is closed first. Not for two threads at once.
///
/// stream() reads whole pages, one piece ahead of the one that is worked on, in two buffers that it keeps.
/// Pages of a tensor that went by are dropped from the page cache, because a plan reads a tensor once and
/// checkpoints larger than memory would push out everything else. They stay where somebody may want them:
/// pages that were there before (another rank, a server on this node, an earlier run put them there), pages
/// that a neighbouring tensor shares, small tensors, and whole files, whose tensors are read as well.
class FileReader final : public ByteReader {
 public:
  explicit FileReader(std::size_t open_files = most_open_files,
                      std::shared_ptr<ReadingPolicy> policy = std::make_shared<ReadingPolicy>())
      : open_files_(open_files), policy_(std::move(policy)) {}

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override;
  void stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes, std::size_t piece_bytes,
              const PieceSink& take) override;
  std::uint64_t bytes_read() const override { return bytes_read_; }

  /// Looks at the open file, not at its path: a file replaced meanwhile was still read as the survey saw it.
  void check(const SourceFile& file) override;

 private:
  struct OpenFile {
    SourceFile source;
    Descriptor descriptor;
    std::string filesystem;
    std::optional<Descriptor> direct;  ///< opened when the policy wants it
  };
  const std::shared_ptr<OpenFile>& opened(const SourceFile& file);
  const Descriptor* direct_channel(OpenFile& file, std::size_t piece_bytes);

  std::size_t open_files_;
  std::shared_ptr<ReadingPolicy> policy_;
  std::list<std::shared_ptr<OpenFile>> files_;  ///< most recently used first
  std::atomic<std::uint64_t> bytes_read_ = 0;
  DecodedBytes decoded_{*this};
  std::array<PageBuffer, 2> buffers_;
  ReadAhead ahead_;  ///< last, so that its thread ends first
};

}  // namespace stemma
