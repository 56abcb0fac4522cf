// Is one piece fetched while another is taken, never more than two, and does every failure come out where it
// is expected?
#include "io/formats/read_ahead.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace stemma {
namespace {

using namespace std::chrono_literals;

/// Pieces of one byte, their number.
class Source {
 public:
  ReadAhead::Fetch fetch() {
    return [this](std::uint64_t index, std::size_t slot) {
      ++fetched;
      thread = std::this_thread::get_id();
      if (index == fails_at) throw std::runtime_error("broken");
      memory_[slot] = static_cast<std::byte>(index);
      return std::span<const std::byte>(&memory_[slot], 1);
    };
  }
  std::atomic<std::uint64_t> fetched = 0;
  std::uint64_t fails_at = 1000;
  std::thread::id thread;

 private:
  std::array<std::byte, 2> memory_{};
};

TEST(ReadAhead, InOrderAndOnAThreadOfItsOwn) {
  ReadAhead ahead;
  for (const std::uint64_t pieces : {0U, 1U, 2U, 3U, 100U}) {
    Source source;
    std::vector<std::uint64_t> taken;
    ahead.run(pieces, source.fetch(), [&](std::span<const std::byte> piece) {
      taken.push_back(static_cast<std::uint64_t>(piece[0]));
    });
    ASSERT_EQ(taken.size(), pieces);
    for (std::uint64_t i = 0; i < pieces; ++i) EXPECT_EQ(taken[i], i);
    if (pieces > 1) {
      EXPECT_NE(source.thread, std::this_thread::get_id());
    }
  }
}

/// While piece i is held, piece i + 1 arrives (or this waits for ever), and piece i + 2, whose buffer is in
/// use, does not.
TEST(ReadAhead, OneAheadAndNoMore) {
  ReadAhead ahead;
  Source source;
  std::uint64_t held = 0;
  constexpr std::uint64_t pieces = 20;
  ahead.run(pieces, source.fetch(), [&](std::span<const std::byte> piece) {
    while (source.fetched < std::min(held + 2, pieces)) std::this_thread::yield();
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(source.fetched, std::min(held + 2, pieces));
    EXPECT_EQ(static_cast<std::uint64_t>(piece[0]), held++);
  });
  EXPECT_EQ(held, pieces);
}

TEST(ReadAhead, AFailureComesAfterThePiecesBeforeIt) {
  ReadAhead ahead;
  for (std::uint64_t bad = 0; bad < 5; ++bad) {
    Source source;
    source.fails_at = bad;
    std::uint64_t taken = 0;
    EXPECT_THROW(ahead.run(5, source.fetch(), [&](std::span<const std::byte>) { ++taken; }),
                 std::runtime_error);
    EXPECT_EQ(taken, bad);
    EXPECT_EQ(source.fetched, bad + 1) << "nothing is fetched after a failure";
  }
}

TEST(ReadAhead, WhatTheTakerThrowsEndsTheRun) {
  ReadAhead ahead;
  for (std::uint64_t bad = 0; bad < 5; ++bad) {
    Source source;
    std::uint64_t taken = 0;
    EXPECT_THROW(ahead.run(5, source.fetch(),
                           [&](std::span<const std::byte>) {
                             if (taken++ == bad) throw std::invalid_argument("enough");
                           }),
                 std::invalid_argument);
    const std::uint64_t fetched = source.fetched;
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(source.fetched, fetched) << "no fetch is under way any more";
    Source next;
    ahead.run(3, next.fetch(), [](std::span<const std::byte>) {});
    EXPECT_EQ(next.fetched, 3U);
  }
}

}  // namespace
}  // namespace stemma
