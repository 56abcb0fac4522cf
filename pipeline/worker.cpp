// Ask, work, answer, ask again; asleep while there is nothing to do.
#include "pipeline/worker.hpp"

#include <optional>

#include "pipeline/patience.hpp"

namespace stemma {
namespace {

Message next(Mailbox& mailbox) {
  Patience patience(Patience::worker);
  for (;;) {
    if (auto message = mailbox.receive()) return std::move(*message);
    patience.wait();
  }
}

/// This rank's part of an item that a team does; its first rank has the result.
void work_together(const Message& message, Mailbox& mailbox, int coordinator, ByteReader& reader,
                   Teams* teams) {
  std::optional<ItemResult> result;
  try {
    const std::vector<WorkOrder> orders = decode_orders(message.payload);
    if (!teams || orders.size() != 1)
      throw std::logic_error("an order for a team came to a rank without one");
    Team& team = teams->of(orders.front().block, orders.front().members);
    ItemResult mine = perform_together(orders.front(), team, reader);
    if (team.ranks().leads()) result = std::move(mine);
  } catch (const std::exception& error) {
    throw BrokenTeam(error.what());
  }
  if (result) mailbox.send({MessageKind::result, coordinator, encode(*result)});
}

void work_until_stopped(Mailbox& mailbox, int coordinator, ByteReader& reader, Teams* teams) {
  mailbox.send({MessageKind::hello, coordinator, {}});
  for (;;) {
    const Message message = next(mailbox);
    if (message.kind == MessageKind::stop) return;
    if (message.kind == MessageKind::assign_team) {
      work_together(message, mailbox, coordinator, reader, teams);
    } else {
      for (const WorkOrder& order : decode_orders(message.payload))
        mailbox.send({MessageKind::result, coordinator, encode(perform(order, reader))});
    }
    mailbox.send({MessageKind::idle, coordinator, {}});
  }
}

/// Takes and drops what was sent before the coordinator knew: a message that nobody takes holds its sender.
void wait_for_stop(Mailbox& mailbox) {
  for (;;) {
    try {
      if (next(mailbox).kind == MessageKind::stop) return;
    } catch (const std::bad_alloc&) {
      continue;  // it was taken, and nobody wants to read it
    }
  }
}

}  // namespace

std::exception_ptr work(Mailbox& mailbox, int coordinator, ByteReader& reader, Teams* teams) {
  std::exception_ptr failure;
  try {
    work_until_stopped(mailbox, coordinator, reader, teams);
    return nullptr;
  } catch (const BrokenTeam&) {
    throw;
  } catch (...) {
    failure = std::current_exception();
  }
  mailbox.send({MessageKind::failed, coordinator, {}});
  wait_for_stop(mailbox);
  return failure;
}

}  // namespace stemma
