// Ask, work, answer, ask again; asleep while there is nothing to do.
#include "pipeline/worker.hpp"

#include <cstring>
#include <deque>
#include <optional>

#include "pipeline/patience.hpp"
#include "pipeline/stop_signal.hpp"

namespace stemma {
namespace {

/// Tells the coordinator what signals asked of this rank, each wish once.
class WishTeller {
 public:
  WishTeller(Mailbox& mailbox, int coordinator) : mailbox_(mailbox), coordinator_(coordinator) {}
  void tell() {
    const StopWish wish = stop_wish();
    if (wish == told_) return;
    told_ = wish;
    mailbox_.send({MessageKind::asked, coordinator_, bytes_of(wish)});
  }

 private:
  Mailbox& mailbox_;
  int coordinator_;
  StopWish told_ = StopWish::none;
};

Message next(Mailbox& mailbox, WishTeller* wishes) {
  Patience patience(Patience::worker);
  for (;;) {
    if (wishes) wishes->tell();
    if (auto message = mailbox.receive()) return std::move(*message);
    patience.wait();
  }
}

/// A mailbox in which an answer can be waited for: what comes before it stays for later.
class Desk final : public Mailbox {
 public:
  Desk(Mailbox& mailbox, int coordinator) : mailbox_(mailbox), coordinator_(coordinator) {}
  void send(Message message) override { mailbox_.send(std::move(message)); }
  std::optional<Message> receive() override {
    if (pile_.empty()) return mailbox_.receive();
    Message first = std::move(pile_.front());
    pile_.pop_front();
    return first;
  }

  std::vector<std::uint8_t> ask(std::span<const Hash128> contents) {
    const auto bytes = std::as_bytes(contents);
    mailbox_.send({MessageKind::query, coordinator_, {bytes.begin(), bytes.end()}});
    for (;;) {
      Message message = next(mailbox_, nullptr);
      if (message.kind != MessageKind::answer) {
        pile_.push_back(std::move(message));
        continue;
      }
      std::vector<std::uint8_t> answer(message.payload.size());
      std::memcpy(answer.data(), message.payload.data(), answer.size());
      if (answer.size() != contents.size()) throw std::logic_error("an answer to another question came");
      return answer;
    }
  }

 private:
  Mailbox& mailbox_;
  int coordinator_;
  std::deque<Message> pile_;
};

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

void work_until_stopped(Desk& mailbox, int coordinator, ByteReader& reader, Teams* teams) {
  WishTeller wishes(mailbox, coordinator);
  mailbox.send({MessageKind::hello, coordinator, {}});
  for (;;) {
    const Message message = next(mailbox, &wishes);
    if (message.kind == MessageKind::stop) return;
    if (message.kind == MessageKind::assign_team) {
      work_together(message, mailbox, coordinator, reader, teams);
    } else {
      for (const WorkOrder& order : decode_orders(message.payload)) {
        try {
          const ItemResult result = perform(
              order, reader, [&](std::span<const Hash128> contents) { return mailbox.ask(contents); });
          mailbox.send({MessageKind::result, coordinator, encode(result)});
        } catch (const Abandoned&) {
          break;  // without a result it is still to be done, as what comes after it
        }
        wishes.tell();
      }
    }
    mailbox.send({MessageKind::idle, coordinator, {}});
  }
}

/// Takes and drops what was sent before the coordinator knew: a message that nobody takes holds its sender.
void wait_for_stop(Mailbox& mailbox) {
  for (;;) {
    try {
      if (next(mailbox, nullptr).kind == MessageKind::stop) return;
    } catch (const std::bad_alloc&) {
      continue;  // it was taken, and nobody wants to read it
    }
  }
}

}  // namespace

std::exception_ptr work(Mailbox& mailbox, int coordinator, ByteReader& reader, Teams* teams) {
  Desk desk(mailbox, coordinator);
  std::exception_ptr failure;
  try {
    work_until_stopped(desk, coordinator, reader, teams);
    return nullptr;
  } catch (const BrokenTeam&) {
    throw;
  } catch (...) {
    failure = std::current_exception();
  }
  mailbox.send({MessageKind::failed, coordinator, {}});
  wait_for_stop(desk);
  return failure;
}

}  // namespace stemma
