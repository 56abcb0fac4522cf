// How is a tensor read once although it is looked at twice?
#pragma once
#include <vector>

#include "io/model/byte_reader.hpp"

namespace stemma {

/// Shows tensors that it holds in memory, and passes everything else on.
class HeldReader final : public ByteReader {
 public:
  explicit HeldReader(ByteReader& own) : own_(own) {}

  /// Reads a tensor and keeps it. Throws what the reader throws; nothing is held then.
  void hold(const SourceFile& file, const StoredTensor& tensor);

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override;
  void stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes, std::size_t piece_bytes,
              const PieceSink& take) override;
  void check(const SourceFile& file) override { own_.check(file); }
  std::uint64_t bytes_read() const override { return own_.bytes_read(); }

 private:
  struct Range {
    std::string path;
    std::shared_ptr<const Decoding> decoding;
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };
  /// The bytes at that place, or nothing where not all of them are held.
  std::span<const std::byte> held(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes) const;

  ByteReader& own_;
  std::vector<Range> ranges_;
};

}  // namespace stemma
