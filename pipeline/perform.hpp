// How is one item done: its tensors read once, everything asked of them answered?
#pragma once
#include <exception>
#include <functional>

#include "analyzers/distributed/team.hpp"
#include "pipeline/item_result.hpp"
#include "pipeline/work_order.hpp"

namespace stemma {

/// Somebody asked to end at once (StopWish::at_once) while an item was on its way.
class Abandoned : public std::exception {
 public:
  const char* what() const noexcept override { return "an item was given up"; }
};

/// Whether the results of these contents (content_key) are there, or on their way, one for each.
using ContentAsker = std::function<std::vector<std::uint8_t>(std::span<const Hash128> contents)>;

/// Reads every streamed tensor once, in file order, and serves all subjects from that reading. A subject
/// begins with the first of its tensors and ends after the last, so that what it holds is not held longer.
/// Never throws for an input or a mathematical failure: what fails becomes Features with Status::failed, and
/// the others go on. Throws Abandoned, soon after somebody asked for it. An order that asks is read into
/// memory first, and what `ask` knows is not measured.
ItemResult perform(const WorkOrder& order, ByteReader& reader, const ContentAsker& ask = {});

/// Collective. The same by a team: its ranks read each tensor together (each its part, into memory that their
/// node shares), decompose matrices together, and all else is done by the first one alone, which alone has
/// the result. What fails on any rank fails the same subjects for all, in the same sentence. Throws only when
/// the ranks have lost each other, which nobody can mend. It is not given up: they would not agree when.
ItemResult perform_together(const WorkOrder& order, Team& team, ByteReader& reader);

}  // namespace stemma
