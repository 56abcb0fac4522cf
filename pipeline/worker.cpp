// Ask, work, answer, ask again; asleep while there is nothing to do.
#include "pipeline/worker.hpp"

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

void work_until_stopped(Mailbox& mailbox, int coordinator, ByteReader& reader) {
  mailbox.send({MessageKind::hello, coordinator, {}});
  for (;;) {
    const Message message = next(mailbox);
    if (message.kind == MessageKind::stop) return;
    for (const WorkOrder& order : decode_orders(message.payload))
      mailbox.send({MessageKind::result, coordinator, encode(perform(order, reader))});
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

std::exception_ptr work(Mailbox& mailbox, int coordinator, ByteReader& reader) {
  std::exception_ptr failure;
  try {
    work_until_stopped(mailbox, coordinator, reader);
    return nullptr;
  } catch (...) {
    failure = std::current_exception();
  }
  mailbox.send({MessageKind::failed, coordinator, {}});
  wait_for_stop(mailbox);
  return failure;
}

}  // namespace stemma
