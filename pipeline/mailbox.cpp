// A queue in memory for one process, probes of MPI for several.
#include "pipeline/mailbox.hpp"

#include <stdexcept>

namespace stemma {
namespace {

constexpr std::size_t largest_payload = std::size_t{1} << 30;

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
  if (message.payload.size() > largest_payload)
    throw std::length_error("a message between ranks is larger than 1 GiB");
  Outgoing& out = outgoing_.emplace_back();
  out.payload = std::move(message.payload);
  check_mpi(MPI_Isend(out.payload.data(), static_cast<int>(out.payload.size()), MPI_BYTE, message.peer,
                      static_cast<int>(message.kind), ranks_.handle(), &out.request),
            "MPI_Isend");
  forget_delivered();
}

std::optional<Message> MpiMailbox::receive() {
  forget_delivered();
  int waiting = 0;
  MPI_Message handle = MPI_MESSAGE_NULL;
  MPI_Status status;
  check_mpi(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, ranks_.handle(), &waiting, &handle, &status),
            "MPI_Improbe");
  if (!waiting) return std::nullopt;
  int count = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  Message message{static_cast<MessageKind>(status.MPI_TAG), status.MPI_SOURCE, {}};
  message.payload.resize(static_cast<std::size_t>(count));
  check_mpi(MPI_Mrecv(message.payload.data(), count, MPI_BYTE, &handle, &status), "MPI_Mrecv");
  return message;
}

void MpiMailbox::flush() {
  for (Outgoing& out : outgoing_) check_mpi(MPI_Wait(&out.request, MPI_STATUS_IGNORE), "MPI_Wait");
  outgoing_.clear();
}

void MpiMailbox::forget_delivered() {
  for (auto it = outgoing_.begin(); it != outgoing_.end();) {
    int done = 0;
    check_mpi(MPI_Test(&it->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
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
