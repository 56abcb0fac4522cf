// Does every message arrive once, in order, with its bytes?
#include "pipeline/mailbox.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "pipeline/patience.hpp"
#include "tests/harness/mpi_world.hpp"
#include "tests/pipeline/short_memory.hpp"

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

TEST(MpiMailbox, AMessageLongerThanOnePieceArrivesWholeAndInOrder) {
  constexpr std::size_t piece = 1000;
  MpiMailbox box(all_ranks(), piece);
  const int me = all_ranks().rank(), n = all_ranks().size();
  const std::vector<std::size_t> sizes{0, 1, piece - 1, piece, piece + 1, 2 * piece, 100 * piece + 7};
  const auto bytes = [](std::size_t size, int from) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i)
      out[i] = static_cast<std::byte>(i * 31 + i / 251 + static_cast<std::size_t>(from));
    return out;
  };
  const int to = (me + 1) % n, from = (me + n - 1) % n;  // one rank alone writes to itself
  for (const std::size_t size : sizes) box.send({MessageKind::result, to, bytes(size, me)});
  box.send({MessageKind::idle, to, {}});
  for (const std::size_t size : sizes) {
    const Message message = wait_for(box);
    EXPECT_EQ(message.kind, MessageKind::result);
    EXPECT_EQ(message.peer, from);
    EXPECT_EQ(message.payload, bytes(size, from)) << size;
  }
  EXPECT_EQ(wait_for(box).kind, MessageKind::idle);
  box.flush();
  all_ranks().all_reduce_min(0);
}

TEST(MpiMailbox, WhatHasComeIsSeenAtTheFirstLook) {
  if (all_ranks().size() == 1) GTEST_SKIP() << "needs two ranks";
  constexpr int rounds = 20;
  MpiMailbox box(all_ranks());
  int seen = 0;
  for (int i = 0; i < rounds; ++i) {
    if (all_ranks().rank() == 0) {
      wait_for(box);
      box.send({MessageKind::assign, 1, {}});
    } else if (all_ranks().rank() == 1) {
      box.send({MessageKind::idle, 0, {}});
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the answer comes meanwhile
      if (box.receive()) {
        ++seen;
      } else {
        wait_for(box);
      }
    }
  }
  box.flush();
  if (all_ranks().rank() == 1) {
    EXPECT_GE(seen, rounds / 4) << "some may be late on a busy machine, not all";
  }
  all_ranks().all_reduce_min(0);
}

TEST(MpiMailbox, AMessageThatDoesNotFitInMemoryIsDroppedAndItsSenderIsFree) {
  constexpr std::size_t big = std::size_t{1} << 20;
  MpiMailbox box(all_ranks(), big / 8);
  const int me = all_ranks().rank(), n = all_ranks().size();
  box.send({MessageKind::result, (me + 1) % n, std::vector<std::byte>(big)});
  box.send({MessageKind::idle, (me + 1) % n, {}});
  test::refuse_once_from = big / 2;  // when some pieces are here, and some are not
  EXPECT_THROW(wait_for(box), std::bad_alloc);
  EXPECT_EQ(wait_for(box).kind, MessageKind::idle);
  box.flush();
  all_ranks().all_reduce_min(0);
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
