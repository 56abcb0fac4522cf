// Does every message arrive once, in order, with its bytes?
#include "pipeline/mailbox.hpp"

#include <gtest/gtest.h>

#include "pipeline/patience.hpp"
#include "tests/harness/mpi_world.hpp"

namespace stemma {
namespace {

using test::all_ranks;

Message wait_for(Mailbox& box) {
  Patience patience(Patience::worker);
  for (;;) {
    if (auto message = box.receive()) return *message;
    patience.wait();
  }
}

TEST(Loopback, CarriesBothWaysInOrder) {
  const Loopback loop = make_loopback();
  EXPECT_FALSE(loop.worker->receive());
  for (int i = 0; i < 3; ++i)
    loop.coordinator->send({MessageKind::assign, 0, std::vector<std::byte>(static_cast<std::size_t>(i + 1))});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(loop.worker->receive()->payload.size(), i + 1);
  loop.worker->send({MessageKind::idle, 0, {}});
  EXPECT_EQ(loop.coordinator->receive()->kind, MessageKind::idle);
  EXPECT_FALSE(loop.coordinator->receive());
}

TEST(MpiMailbox, EveryRankAnswersEveryOther) {
  if (all_ranks().size() == 1) GTEST_SKIP() << "needs two ranks";
  MpiMailbox box(all_ranks());
  const int me = all_ranks().rank(), n = all_ranks().size();
  // Sizes from nothing to a megabyte: eager and rendezvous.
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{1} << 20}) {
    for (int to = 0; to < n; ++to)
      if (to != me)
        box.send({MessageKind::result, to, std::vector<std::byte>(size, static_cast<std::byte>(me))});
    std::vector<int> from;
    for (int i = 1; i < n; ++i) {
      const Message message = wait_for(box);
      EXPECT_EQ(message.kind, MessageKind::result);
      EXPECT_EQ(message.payload, std::vector<std::byte>(size, static_cast<std::byte>(message.peer)));
      from.push_back(message.peer);
    }
    std::sort(from.begin(), from.end());
    EXPECT_EQ(std::unique(from.begin(), from.end()), from.end());
    box.flush();
    all_ranks().all_reduce_min(0);
  }
}

TEST(ForkedMailbox, OwnRankGoesThroughTheLoopback) {
  const Loopback loop = make_loopback();
  ForkedMailbox forked(0, loop.coordinator.get(), nullptr);
  forked.send({MessageKind::stop, 0, {}});
  EXPECT_EQ(loop.worker->receive()->kind, MessageKind::stop);
  loop.worker->send({MessageKind::hello, 0, {}});
  EXPECT_EQ(forked.receive()->peer, 0);
}

}  // namespace
}  // namespace stemma
