// Where do the bytes of one tensor lie?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma {

/// One file of a checkpoint as it was when the survey opened it. A reader that finds another size or time
/// later fails with rule file.changed_while_reading.
struct SourceFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t header_bytes = 0;
  std::string filesystem;  ///< "lustre", "nfs", "local", ...
  std::string content;     ///< hash of all its bytes, where it is known; "" for files that we did not write
};

/// One tensor as stored: row-major, little-endian, at [offset, offset + bytes) of its file.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;
  std::uint32_t file = 0;    ///< index into Checkpoint::files
  std::uint64_t offset = 0;  ///< from the start of the file, bytes
  std::uint64_t bytes = 0;

  /// Product of the shape; readers have checked that it does not overflow. 1 for a scalar.
  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t d : shape) n *= d;
    return n;
  }
};

}  // namespace stemma
