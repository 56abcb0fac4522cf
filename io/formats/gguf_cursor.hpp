// What stands next in the header of a GGUF file?
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "io/model/byte_reader.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// Reads a file from front to back through a window of bounded size; what is skipped is not read. A copy
/// reads on from the same place. File and reader must outlive it.
class GgufCursor {
 public:
  GgufCursor(const SourceFile& file, ByteReader& reader) : file_(&file), reader_(&reader) {}

  std::uint64_t at() const { return at_; }
  std::uint64_t remaining() const { return file_->bytes - at_; }
  const SourceFile& file() const { return *file_; }

  /// Little-endian. Throws InvalidInput (gguf.truncated) behind the end of the file, as all that read do.
  template <class Number>
  Number number() {
    Number number;
    std::memcpy(&number, next(sizeof number).data(), sizeof number);
    return number;
  }
  /// Length of a string, which must be in the file and at most 64 MiB. Throws InvalidInput (gguf.string).
  std::uint64_t string_length();
  std::string text(std::uint64_t length);
  void skip(std::uint64_t bytes);
  void skip_string() { skip(string_length()); }

  /// A finding about this file, at byte `offset`.
  Finding finding(std::string rule, std::uint64_t offset, std::string found, std::string expected,
                  std::string hint = "") const;
  [[noreturn]] void refuse(std::string rule, std::uint64_t offset, std::string found, std::string expected,
                           std::string hint = "") const {
    throw InvalidInput(
        finding(std::move(rule), offset, std::move(found), std::move(expected), std::move(hint)));
  }

 private:
  /// The next `bytes` (at most the window), which are then behind.
  std::span<const std::byte> next(std::size_t bytes);
  void require(std::uint64_t bytes) const;

  const SourceFile* file_;
  ByteReader* reader_;
  std::uint64_t at_ = 0, window_begin_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace stemma
