// How are bytes read that only exist after decoding?
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>

#include "io/formats/decoder.hpp"
#include "io/model/byte_reader.hpp"

namespace stemma {

/// Bytes of what decodings make of a reader's files. The decoder of a tensor is kept until it is released or
/// another tensor is asked for, because many decoders begin by reading all scales or codes, and tensors are
/// read row by row as well. A decoding may be made of parts that are decoded themselves: `reader` then comes
/// back here for them.
class DecodedBytes {
 public:
  explicit DecodedBytes(ByteReader& reader) : reader_(reader) {}

  /// Fills `out` with the bytes at `offset` of what `file`'s decoding makes; they may begin and end inside a
  /// value. Throws what decoders throw.
  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out);
  /// The same for consecutive pieces; see ByteReader::stream.
  void stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes, std::size_t piece_bytes,
              const PieceSink& take);
  /// Nobody will ask for more of the last tensor.
  void release() {
    if (at_work_ == 0) tensors_.clear();
  }

 private:
  struct Tensor {
    std::shared_ptr<const Decoding> decoding;
    std::unique_ptr<Decoder> decoder;

    void fill(std::uint64_t offset, std::span<std::byte> out);
  };
  /// While one lives, no decoder is given up: it may be the one that is at work.
  class AtWork;

  Tensor& tensor_of(const SourceFile& file);

  ByteReader& reader_;
  std::list<Tensor> tensors_;  ///< that is read, and those that it is made from
  int at_work_ = 0;
};

}  // namespace stemma
