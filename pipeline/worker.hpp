// What does a rank do until it is told to stop?
#pragma once
#include "pipeline/mailbox.hpp"
#include "pipeline/perform.hpp"

namespace stemma {

/// Says hello, then does what is assigned and reports each item as soon as it is done, until it is told to
/// stop. `coordinator` is the rank to talk to.
void work(Mailbox& mailbox, int coordinator, ByteReader& reader);

}  // namespace stemma
