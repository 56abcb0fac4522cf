// Where do the bytes of one tensor lie?
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma {

struct Decoding;

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
  std::shared_ptr<const Decoding>
      decoding;  ///< not null: what is read is what this makes of the file's bytes
};

/// A run of bytes that values are made from: codes, scales, a factor. They lie on disk, or follow in turn
/// from what `file.decoding` says.
struct EncodedPart {
  SourceFile file;
  Dtype dtype = Dtype::u8;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;  ///< from the start of the file, bytes
  std::uint64_t bytes = 0;
};

/// How the values of a tensor follow from bytes on disk where they do not lie as numbers, one after the
/// other. Which parts and numbers a codec wants is said where it is implemented (io/formats).
struct Decoding {
  std::string codec;            ///< "q4_k", "strided", ...
  Dtype dtype = Dtype::f32;     ///< of the values
  bool half_distances = false;  ///< instead of a value: half its distance to the farther neighbouring code
  std::vector<EncodedPart> parts;
  std::vector<std::int64_t> numbers;
};

/// Bytes on disk that a decoding reads; a part may have a decoding of its own.
inline std::uint64_t bytes_of_parts(const Decoding& decoding) {
  std::uint64_t sum = 0;
  for (const EncodedPart& part : decoding.parts)
    sum += part.file.decoding ? bytes_of_parts(*part.file.decoding) : part.bytes;
  return sum;
}

/// One tensor: row-major, little-endian, at [offset, offset + bytes) of its file, or of what its decoding
/// makes.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;
  std::uint32_t file = 0;                    ///< index into Checkpoint::files
  std::uint64_t offset = 0;                  ///< from the start of the file, bytes
  std::uint64_t bytes = 0;                   ///< of the values
  std::shared_ptr<const Decoding> decoding;  ///< null where the values lie on disk as such
  std::string scheme;  ///< of codes that values stand for, or were merged with, for people: "Q4_K, blocks of
                       ///< 256"; "" where nothing was quantised

  /// Bytes that it takes on disk.
  std::uint64_t stored_bytes() const { return decoding ? bytes_of_parts(*decoding) : bytes; }

  /// Where its bytes begin on disk: the order in which tensors of one file are best read.
  std::uint64_t place() const { return decoding ? decoding->parts.front().offset : offset; }

  /// Product of the shape; readers have checked that it does not overflow. 1 for a scalar.
  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t d : shape) n *= d;
    return n;
  }
};

/// What a reader must be given to read `tensor`: its file, with the decoding where it has one.
inline SourceFile source_of(SourceFile file, const StoredTensor& tensor) {
  file.decoding = tensor.decoding;
  return file;
}

}  // namespace stemma
