// A queue in memory for one process, probes of MPI for several.
#include "pipeline/mailbox.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace stemma {
namespace {

// The tag of a message is its kind, and whether more pieces of the same message follow. MPI keeps the order
// of messages between two ranks, so nothing else need be said.
constexpr int more = 256;

int tag_of(MessageKind kind, bool last) { return static_cast<int>(kind) + (last ? 0 : more); }

class Queue {
 public:
  void push(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  std::optional<Message> pop() {
    const std::lock_guard lock(mutex_);
    if (messages_.empty()) return std::nullopt;
    Message first = std::move(messages_.front());
    messages_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::deque<Message> messages_;
};

class LoopbackEnd final : public Mailbox {
 public:
  LoopbackEnd(std::shared_ptr<Queue> out, std::shared_ptr<Queue> in)
      : out_(std::move(out)), in_(std::move(in)) {}
  void send(Message message) override {
    message.peer = 0;
    out_->push(std::move(message));
  }
  std::optional<Message> receive() override { return in_->pop(); }

 private:
  std::shared_ptr<Queue> out_, in_;
};

}  // namespace

Loopback make_loopback() {
  auto down = std::make_shared<Queue>(), up = std::make_shared<Queue>();
  return {std::make_unique<LoopbackEnd>(down, up), std::make_unique<LoopbackEnd>(up, down)};
}

void MpiMailbox::send(Message message) {
  const std::size_t size = message.payload.size(),
                    pieces = std::max<std::size_t>(1, (size + piece_ - 1) / piece_);
  Outgoing out{std::move(message.payload), std::vector<MPI_Request>(pieces, MPI_REQUEST_NULL)};
  Outgoing& sent = outgoing_.emplace_back(std::move(out));
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t at = i * piece_, count = std::min(piece_, size - at);
    check_mpi(MPI_Isend(sent.payload.data() + at, static_cast<int>(count), MPI_BYTE, message.peer,
                        tag_of(message.kind, i + 1 == pieces), ranks_.handle(), &sent.pieces[i]),
              "MPI_Isend");
  }
  forget_delivered();
}

std::optional<Message> MpiMailbox::receive() {
  forget_delivered();
  int waiting = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  // Open MPI fetches from the network after it has looked, so only the second look sees what has come: with
  // one look the message would lie there while the caller sleeps once more.
  for (int look = 0; look < 2 && !waiting; ++look)
    check_mpi(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, ranks_.handle(), &waiting, &handle, &status),
              "MPI_Improbe");
  if (!waiting) return std::nullopt;
  int count = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  const int from = status.MPI_SOURCE;
  const bool last = status.MPI_TAG < more;
  check_mpi(MPI_Mrecv(landing_.data(), count, MPI_BYTE, &handle, MPI_STATUS_IGNORE), "MPI_Mrecv");
  Arriving& arriving = arriving_[static_cast<std::size_t>(from)];
  if (!arriving.dropped) {
    try {
      arriving.payload.insert(arriving.payload.end(), landing_.begin(), landing_.begin() + count);
    } catch (const std::bad_alloc&) {
      arriving = {{}, !last};
      throw;
    }
  }
  if (!last) return std::nullopt;
  Arriving whole = std::exchange(arriving, {});
  if (whole.dropped) return std::nullopt;
  return Message{static_cast<MessageKind>(status.MPI_TAG), from, std::move(whole.payload)};
}

void MpiMailbox::flush() {
  for (Outgoing& out : outgoing_)
    check_mpi(MPI_Waitall(static_cast<int>(out.pieces.size()), out.pieces.data(), MPI_STATUSES_IGNORE),
              "MPI_Waitall");
  outgoing_.clear();
}

void MpiMailbox::forget_delivered() {
  for (auto it = outgoing_.begin(); it != outgoing_.end();) {
    int done = 0;
    check_mpi(MPI_Testall(static_cast<int>(it->pieces.size()), it->pieces.data(), &done, MPI_STATUSES_IGNORE),
              "MPI_Testall");
    it = done ? outgoing_.erase(it) : std::next(it);
  }
}

void ForkedMailbox::send(Message message) {
  (message.peer == own_rank_ ? local_ : remote_)->send(std::move(message));
}

std::optional<Message> ForkedMailbox::receive() {
  for (Mailbox* box : {local_, remote_})
    if (box)
      if (auto message = box->receive()) return message;
  return std::nullopt;
}

}  // namespace stemma
