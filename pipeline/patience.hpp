// How long does a rank sleep when there is nothing to do?
#pragma once
#include <algorithm>
#include <chrono>
#include <thread>

namespace stemma {

/// Sleeps a little longer each time in vain. Waiting ranks must not spin: on busy or oversubscribed nodes
/// they would take the core of somebody who computes.
class Patience {
 public:
  struct Bounds {
    std::chrono::microseconds first, longest;
  };
  static constexpr Bounds coordinator{std::chrono::microseconds(50), std::chrono::microseconds(1000)};
  static constexpr Bounds worker{std::chrono::microseconds(50), std::chrono::microseconds(2000)};

  explicit Patience(Bounds bounds) : bounds_(bounds), next_(bounds.first) {}
  void reset() { next_ = bounds_.first; }
  void wait() {
    std::this_thread::sleep_for(next_);
    next_ = std::min(next_ * 2, bounds_.longest);
  }

 private:
  Bounds bounds_;
  std::chrono::microseconds next_;
};

}  // namespace stemma
