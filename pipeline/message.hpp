// What do the coordinator and its workers say to each other?
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stemma {

/// hello, idle, result and failed go to the coordinator; assign, assign_team and stop come from it. An assign
/// carries a batch of work orders, an assign_team one item for several ranks together, which each of them
/// gets; a result is the outcome of one item (a team's first rank sends it), an idle says that the batch, or
/// this rank's part of the team's item, is done. A failed says that its worker will do nothing more but wait
/// for its stop; why, all ranks learn when they have stopped.
enum class MessageKind : std::uint8_t { hello, idle, assign, result, stop, failed, assign_team };

struct Message {
  MessageKind kind = MessageKind::hello;
  int peer = 0;  ///< rank: whom it came from, or goes to
  std::vector<std::byte> payload;
};

}  // namespace stemma
