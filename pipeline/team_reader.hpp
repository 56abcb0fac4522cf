// How do the ranks of a team read a tensor together, each byte once?
#pragma once
#include <exception>

#include "analyzers/distributed/team.hpp"
#include "io/model/byte_reader.hpp"

namespace stemma {

/// stream() and check() are Collective: each rank of the first node reads its part of a piece into memory
/// that the node shares, other nodes get it from there, and all see the same bytes. After every piece the
/// ranks agree whether all parts came; a failure of one is thrown by all. Two pieces take turns, so nobody
/// overwrites what another rank still looks at. read() is this rank's own business.
class TeamReader final : public ByteReader {
 public:
  TeamReader(Team& team, ByteReader& own) : team_(team), own_(own) {}

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override {
    own_.read(file, offset, out);
  }
  void stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes, std::size_t piece_bytes,
              const PieceSink& take) override;
  void check(const SourceFile& file) override;
  std::uint64_t bytes_read() const override { return own_.bytes_read(); }

  /// Collective: what ends the reading of a tensor. A rank that failed before it came to stream() tells the
  /// others, who wait for it there. Returns what all ranks must treat as this tensor's failure, nothing when
  /// all went well.
  std::exception_ptr settle(std::exception_ptr mine);

 private:
  Team& team_;
  ByteReader& own_;
  bool met_ = false;  ///< whether stream() has agreed with the others on this tensor
};

}  // namespace stemma
