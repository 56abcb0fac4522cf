// What does a rank do until it is told to stop?
#pragma once
#include <exception>
#include <stdexcept>

#include "pipeline/mailbox.hpp"
#include "pipeline/perform.hpp"
#include "pipeline/teams.hpp"

namespace stemma {

/// Says hello, then does what is assigned and reports each item as soon as it is done, until it is told to
/// stop. `coordinator` is the rank to talk to. What goes wrong outside of an item (a batch that cannot be
/// decoded, a result that does not fit in memory) ends the work, not the conversation: the coordinator is
/// told, the stop awaited, and the failure returned; nothing when all went well. `teams` may be null where
/// this rank cannot be part of one. Throws only when the coordinator cannot be told, and BrokenTeam.
std::exception_ptr work(Mailbox& mailbox, int coordinator, ByteReader& reader, Teams* teams);

/// Something went wrong on one rank of a team where the others could not be told: they wait for it for ever.
class BrokenTeam : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace stemma
