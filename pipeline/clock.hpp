// What time is it, and on which machine?
#pragma once
#include <chrono>
#include <string>

namespace stemma {

/// "2026-11-21T10:02:11Z"
std::string utc_now();
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
