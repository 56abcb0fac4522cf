// Ask, work, answer, ask again; asleep while there is nothing to do.
#include "pipeline/worker.hpp"

#include "pipeline/patience.hpp"

namespace stemma {

void work(Mailbox& mailbox, int coordinator, ByteReader& reader) {
  mailbox.send({MessageKind::hello, coordinator, {}});
  Patience patience(Patience::worker);
  for (;;) {
    const auto message = mailbox.receive();
    if (!message) {
      patience.wait();
      continue;
    }
    patience.reset();
    if (message->kind == MessageKind::stop) return;
    for (const WorkOrder& order : decode_orders(message->payload))
      mailbox.send({MessageKind::result, coordinator, encode(perform(order, reader))});
    mailbox.send({MessageKind::idle, coordinator, {}});
  }
}

}  // namespace stemma
