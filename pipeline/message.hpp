// What do the coordinator and its workers say to each other?
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/stop_signal.hpp"

namespace stemma {

/// hello, idle, result, failed, asked and query go to the coordinator; the others come from it. An assign
/// carries a batch of work orders, an assign_team one item for several ranks together, which each of them
/// gets; a result is the outcome of one item (a team's first rank sends it), an idle says that the batch, or
/// this rank's part of the team's item, is done. A failed says that its worker will do nothing more but wait
/// for its stop; why, all ranks learn when they have stopped. An asked says that a signal came to its rank,
/// with the StopWish as its only byte. A query asks, in the middle of an item, which contents (content_key)
/// have a result; its answer is a byte for each.
enum class MessageKind : std::uint8_t {
  hello,
  idle,
  assign,
  result,
  stop,
  failed,
  assign_team,
  asked,
  query,
  answer
};

struct Message {
  MessageKind kind = MessageKind::hello;
  int peer = 0;  ///< rank: whom it came from, or goes to
  std::vector<std::byte> payload;
};

/// The payload of an asked, and what it says.
inline std::vector<std::byte> bytes_of(StopWish wish) { return {static_cast<std::byte>(wish)}; }
inline StopWish wish_in(const Message& asked) {
  return asked.payload.empty() ? StopWish::none : static_cast<StopWish>(asked.payload.front());
}

}  // namespace stemma
