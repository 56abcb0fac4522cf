// How do bytes of a checkpoint's files get into memory, and how do we notice that a file changed meanwhile?
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>

#include "io/formats/descriptor.hpp"
#include "io/model/byte_reader.hpp"

namespace stemma {

/// A file as it is now: opened, found regular, measured. Throws InvalidInput (file.open_failed) for anything
/// that is not a readable regular file; a FIFO does not block.
SourceFile stat_source(const std::string& path);

/// Reads with pread; files stay open, the least recently used is closed first. Not for two threads at once.
class FileReader final : public ByteReader {
 public:
  explicit FileReader(std::size_t open_files = 64) : open_files_(open_files) {}

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override;
  std::uint64_t bytes_read() const override { return bytes_read_; }

  /// Looks at the open file, not at its path: a file replaced meanwhile was still read as the survey saw it.
  void check(const SourceFile& file) override;

 private:
  struct OpenFile {
    SourceFile source;
    Descriptor descriptor;
  };
  const OpenFile& opened(const SourceFile& file);

  std::size_t open_files_;
  std::list<OpenFile> files_;  ///< most recently used first
  std::uint64_t bytes_read_ = 0;
};

}  // namespace stemma
