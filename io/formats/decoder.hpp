// How do the values of an encoded tensor come out of its codes, any run of them at a time?
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

/// One encoded tensor that is being read. What it keeps between two calls is its own business; callers ask
/// for neighbouring runs one after the other where they can.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Fills `out` with values from `first` on, in row-major order, in the dtype of the decoding. `out` holds
  /// whole values, all of which exist. Throws InvalidInput for codes without a meaning, and what the reader
  /// throws.
  virtual void decode(std::uint64_t first, std::span<std::byte> out) = 0;
};

/// A decoder whose values are F32.
class FloatDecoder : public Decoder {
 public:
  void decode(std::uint64_t first, std::span<std::byte> out) final;

  /// Values [first, first + out.size()); half distances where the decoding asks for them.
  virtual void values(std::uint64_t first, std::span<float> out) = 0;

 private:
  std::vector<float> values_;
};

/// The decoder of a decoding's codec; both must outlive it. Throws std::invalid_argument for a codec that
/// nobody knows: decodings are made by readers of this program.
std::unique_ptr<Decoder> make_decoder(const Decoding& decoding, ByteReader& reader);

/// The bytes of one part, as they are on disk. Throws what the reader throws.
std::vector<std::byte> read_part(const EncodedPart& part, ByteReader& reader);

}  // namespace stemma
