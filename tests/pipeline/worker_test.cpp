// What does a worker say when something goes wrong outside of an item? Played by hand over the loop-back.
#include "pipeline/worker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

Message next(Mailbox& mailbox) {
  for (;;) {
    if (auto message = mailbox.receive()) return *message;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

/// A worker on its own thread, and the coordinator's end of the post in the hands of the test.
struct Conversation {
  Loopback loop = make_loopback();
  test::FakeReader reader;
  std::exception_ptr failure;
  std::jthread worker{[this] { failure = work(*loop.worker, 0, reader, nullptr); }};

  void send(MessageKind kind, std::vector<std::byte> payload = {}) const {
    loop.coordinator->send({kind, 0, std::move(payload)});
  }
  MessageKind heard() const { return next(*loop.coordinator).kind; }
};

TEST(Worker, StopsWhenItIsToldTo) {
  Conversation talk;
  EXPECT_EQ(talk.heard(), MessageKind::hello);
  talk.send(MessageKind::stop);
  talk.worker.join();
  EXPECT_FALSE(talk.failure);
}

TEST(Worker, OrdersThatCannotBeDecodedAreToldAndTheStopIsAwaited) {
  Conversation talk;
  EXPECT_EQ(talk.heard(), MessageKind::hello);
  talk.send(MessageKind::assign, std::vector<std::byte>(3, std::byte{0xFF}));
  EXPECT_EQ(talk.heard(), MessageKind::failed);
  talk.send(MessageKind::assign, encode(std::vector<WorkOrder>(1)));  // was on its way: nobody does it
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(talk.loop.coordinator->receive());
  talk.send(MessageKind::stop);
  talk.worker.join();
  ASSERT_TRUE(talk.failure);
  EXPECT_THROW(std::rethrow_exception(talk.failure), std::exception);
}

}  // namespace
}  // namespace stemma
