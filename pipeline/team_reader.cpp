// Parts of a piece, read by all at once, and one agreement for each piece.
#include "pipeline/team_reader.hpp"

#include <algorithm>

#include "analyzers/distributed/unison.hpp"

namespace stemma {

void TeamReader::stream(const SourceFile& file, std::uint64_t offset, std::uint64_t bytes,
                        std::size_t piece_bytes, const PieceSink& take) {
  met_ = true;
  std::exception_ptr failure;
  SharedMemory& memory = team_.shared(Team::Use::reading, 2 * piece_bytes);
  bool second = false;
  for (std::uint64_t at = 0; at < bytes; at += piece_bytes, second = !second) {
    const std::size_t length = std::min<std::uint64_t>(piece_bytes, bytes - at);
    const std::span<std::byte> piece = memory.bytes().subspan(second ? piece_bytes : 0, length);
    if (!failure && team_.node_number() == 0) {
      try {
        const auto rank = static_cast<std::uint64_t>(team_.node().rank()),
                   ranks = static_cast<std::uint64_t>(team_.node().size());
        const std::uint64_t begin = length * rank / ranks, end = length * (rank + 1) / ranks;
        if (begin < end) own_.read(file, offset + at + begin, piece.subspan(begin, end - begin));
      } catch (...) {
        failure = std::current_exception();
      }
    }
    memory.fence();
    agree(team_.ranks(), "reading", failure);
    if (team_.nodes() > 1) {
      team_.spread_over_nodes(piece);
      memory.fence();
      agree(team_.ranks(), "reading", nullptr);  // the first rank of each node has it: now all may look
    }
    memory.fence();
    try {
      take(piece);
    } catch (...) {
      failure = std::current_exception();  // told with the next piece, where the others are
    }
  }
  agree(team_.ranks(), "reading", failure);
}

void TeamReader::check(const SourceFile& file) {
  in_unison(team_.ranks(), "reading", [&] { own_.check(file); });
}

std::exception_ptr TeamReader::settle(std::exception_ptr mine) {
  const bool met = met_;
  met_ = false;
  if (!mine || met) return mine;  // thrown by all alike, or nothing was
  try {
    agree(team_.ranks(), "reading", mine);
  } catch (...) {
    return std::current_exception();
  }
  return mine;
}

}  // namespace stemma
