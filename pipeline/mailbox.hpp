// How does a message reach a rank without anybody waiting for it?
#pragma once
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "analyzers/distributed/communicator.hpp"
#include "pipeline/message.hpp"

namespace stemma {

/// One rank's end of the post. Neither call blocks.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual void send(Message message) = 0;
  virtual std::optional<Message> receive() = 0;
};

/// Two ends inside one process, for a worker on a second thread of rank 0. Thread-safe.
struct Loopback {
  std::unique_ptr<Mailbox> coordinator;
  std::unique_ptr<Mailbox> worker;
};
Loopback make_loopback();

/// Ranks of a communicator. Only the main thread may use it (MPI_THREAD_FUNNELED). A payload is at most 1
/// GiB.
class MpiMailbox final : public Mailbox {
 public:
  explicit MpiMailbox(const Communicator& ranks) : ranks_(ranks) {}
  void send(Message message) override;
  std::optional<Message> receive() override;
  /// Returns when every message was taken by MPI's receiver. Call before the end of a conversation.
  void flush();

 private:
  struct Outgoing {
    MPI_Request request = MPI_REQUEST_NULL;
    std::vector<std::byte> payload;
  };
  void forget_delivered();

  Communicator ranks_;
  std::list<Outgoing> outgoing_;
};

/// The coordinator's end: its own rank over the loop-back, all others over MPI.
class ForkedMailbox final : public Mailbox {
 public:
  ForkedMailbox(int own_rank, Mailbox* local, Mailbox* remote)
      : own_rank_(own_rank), local_(local), remote_(remote) {}
  void send(Message message) override;
  std::optional<Message> receive() override;

 private:
  int own_rank_;
  Mailbox* local_;   ///< may be null: rank 0 does not compute
  Mailbox* remote_;  ///< may be null: a world of one
};

}  // namespace stemma
