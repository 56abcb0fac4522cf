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

/// Ranks of a communicator. Only the main thread may use it (MPI_THREAD_FUNNELED). MPI counts bytes in 32
/// bits, so a payload travels in pieces of at most `piece` bytes and has no size limit of its own.
class MpiMailbox final : public Mailbox {
 public:
  static constexpr std::size_t usual_piece = std::size_t{4} << 20;

  explicit MpiMailbox(const Communicator& ranks, std::size_t piece = usual_piece)
      : ranks_(ranks), piece_(piece), landing_(piece), arriving_(static_cast<std::size_t>(ranks.size())) {}
  void send(Message message) override;
  /// Throws std::bad_alloc when a message does not fit in memory. All its pieces are taken nevertheless and
  /// dropped: nobody waits because its message could not be read.
  std::optional<Message> receive() override;
  /// Returns when every message was taken by MPI's receiver. Call before the end of a conversation.
  void flush();

 private:
  struct Outgoing {
    std::vector<std::byte> payload;
    std::vector<MPI_Request> pieces;
  };
  /// A message that is not whole yet.
  struct Arriving {
    std::vector<std::byte> payload;
    bool dropped = false;
  };
  void forget_delivered();

  Communicator ranks_;
  std::size_t piece_;
  std::list<Outgoing> outgoing_;
  std::vector<std::byte> landing_;  ///< every piece lands here, so receiving one takes no memory
  std::vector<Arriving> arriving_;  ///< by sender
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
