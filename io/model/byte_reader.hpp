// Who fetches weight bytes?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/model/tensor.hpp"

namespace stemma {

/// Port for reading weights: io/formats implements it with pread, tests fake it in ten lines.
class ByteReader {
 public:
  virtual ~ByteReader() = default;

  /// Fills `out` with the bytes at [offset, offset + out.size()) of `file`.
  /// Throws InvalidInput (file.open_failed, file.short_read, file.read_failed, file.changed_while_reading).
  virtual void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) = 0;

  /// Called when the last byte of a tensor was read. Throws InvalidInput (file.changed_while_reading) when
  /// the file no longer is what the survey saw.
  virtual void check(const SourceFile& file) { (void)file; }

  /// Bytes requested from the file system so far.
  virtual std::uint64_t bytes_read() const = 0;
};

}  // namespace stemma
