// How long may something take, when the machine is busy or a sanitizer looks on?
#pragma once
#include <cstdlib>
#include <ctime>
#include <string>

namespace stemma::test {

/// Seconds of processor time that this process has used: what else the machine does is not counted.
inline double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Multiplies every limit of time; CTest sets it where sanitizers slow everything down.
inline double patience() {
  const char* factor = std::getenv("STEMMA_TEST_PATIENCE");
  return factor == nullptr ? 1 : std::stod(factor);
}

}  // namespace stemma::test
