// What does a rank do until it is told to stop?
#pragma once
#include <exception>

#include "pipeline/mailbox.hpp"
#include "pipeline/perform.hpp"

namespace stemma {

/// Says hello, then does what is assigned and reports each item as soon as it is done, until it is told to
/// stop. `coordinator` is the rank to talk to. What goes wrong outside of an item (a batch that cannot be
/// decoded, a result that does not fit in memory) ends the work, not the conversation: the coordinator is
/// told, the stop awaited, and the failure returned; nothing when all went well. Throws only when the
/// coordinator cannot be told.
std::exception_ptr work(Mailbox& mailbox, int coordinator, ByteReader& reader);

}  // namespace stemma
