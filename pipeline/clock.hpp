// What time is it, and on which machine?
#pragma once
#include <chrono>
#include <string>

#include "io/archive/timestamp.hpp"

namespace stemma {

std::string host_name();

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
