// Handlers only note when they were called first.
#include "pipeline/stop_signal.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <limits>

namespace stemma {
namespace {

constexpr std::int64_t second = 1'000'000'000;  // in nanoseconds

// Nanoseconds of the monotonic clock when a wish came first, 0 before.
std::array<std::atomic<std::int64_t>, 3> came{};
std::atomic<bool> wants_progress{false};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a handler must not wait");

std::int64_t monotonic_now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);  // a handler may call it
  return now.tv_sec * second + now.tv_nsec;
}

void note(StopWish wish) {
  std::int64_t never = 0;
  came[static_cast<std::size_t>(wish)].compare_exchange_strong(never, monotonic_now());
}

std::atomic<std::int64_t> first_interrupt{0};

void take_signal(int signal) {
  switch (signal) {
    case SIGUSR1:
      return note(StopWish::soon);
    case SIGUSR2:
      wants_progress = true;
      return;
    case SIGINT: {
      std::int64_t first = 0;
      const std::int64_t now = monotonic_now();
      if (!first_interrupt.compare_exchange_strong(first, now) && now - first > second)
        std::_Exit(128 + SIGINT);
      break;
    }
    default:
      break;
  }
  note(StopWish::at_once);
}

}  // namespace

void listen_to_signals() {
  struct sigaction action = {};
  action.sa_handler = take_signal;
  action.sa_flags = SA_RESTART;  // whoever reads or writes goes on
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM}) sigaction(signal, &action, nullptr);
  for (const int signal : {SIGINT, SIGHUP}) {
    struct sigaction before = {};
    const bool known = sigaction(signal, nullptr, &before) == 0;
    if (known && before.sa_handler == SIG_IGN) continue;  // nohup, or behind an & of a script
    sigaction(signal, &action, nullptr);
  }
}

StopWish stop_wish() {
  if (came[static_cast<std::size_t>(StopWish::at_once)] != 0) return StopWish::at_once;
  return came[static_cast<std::size_t>(StopWish::soon)] != 0 ? StopWish::soon : StopWish::none;
}

double seconds_since(StopWish wish) {
  std::int64_t first = 0;
  for (auto stronger = static_cast<std::size_t>(wish); stronger < came.size(); ++stronger) {
    const std::int64_t at = came[stronger];
    if (at != 0 && (first == 0 || at < first)) first = at;
  }
  if (first == 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(monotonic_now() - first) / static_cast<double>(second);
}

void pass_on_wish(StopWish wish) {
  if (wish != StopWish::none) note(wish);
}

bool progress_wanted() { return wants_progress.exchange(false); }

}  // namespace stemma
