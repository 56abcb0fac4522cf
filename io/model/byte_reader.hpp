// Who fetches weight bytes?
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "io/model/tensor.hpp"

namespace stemma {

/// Receives one piece of a range, in order; the bytes belong to the reader and are gone after the call.
using PieceSink = std::function<void(std::span<const std::byte>)>;

/// Port for reading weights: io/formats implements it with pread, tests fake it in ten lines.
class ByteReader {
 public:
  virtual ~ByteReader() = default;

  /// Fills `out` with the bytes at [offset, offset + out.size()) of `file`.
  /// Throws InvalidInput (file.open_failed, file.short_read, file.read_failed, file.changed_while_reading).
  virtual void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) = 0;

  /// Calls take(piece) for consecutive pieces of [offset, offset + bytes), each of `piece_bytes` (> 0), the
  /// last one of what is left. Where the pieces lie in memory is the reader's business: the default asks
  /// read() for one after the other, others read ahead or show memory that ranks share. `take` may call
  /// read(), not stream(). Throws what read() and `take` throw.
  virtual void stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                      std::size_t piece_bytes, const PieceSink& take);

  /// Called when the last byte of a tensor was read. Throws InvalidInput (file.changed_while_reading) when
  /// the file no longer is what the survey saw.
  virtual void check(const SourceFile& file) { (void)file; }

  /// Bytes requested from the file system so far.
  virtual std::uint64_t bytes_read() const = 0;
};

}  // namespace stemma
