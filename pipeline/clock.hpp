// What time is it, and on which machine?
#pragma once
#include <chrono>
#include <limits>

#include "io/archive/timestamp.hpp"
#include "io/archive/writer_name.hpp"

namespace stemma {

/// Seconds.
inline constexpr double forever = std::numeric_limits<double>::infinity();

/// Seconds since it was made, on the monotonic clock.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace stemma
