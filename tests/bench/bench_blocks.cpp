// How fast do quantised blocks become values, and how does that compare with what memory gives?
// bench_blocks [MIB] [ROUNDS]
//
// Decodes MIB of output from random blocks in memory, on one core, the best of ROUNDS. "copy" is memcpy of as
// many bytes, which reads and writes them: what a decoder could reach whose arithmetic cost nothing. One line
// per codec: gigabytes of F32 per second, and the share of the copy.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "io/formats/block_codec.hpp"

namespace stemma {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Gigabytes per second of the fastest of `rounds`.
template <class Work>
double speed(std::size_t bytes, int rounds, const Work& work) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double begun = now();
    work();
    best = std::min(best, now() - begun);
  }
  return static_cast<double>(bytes) / best / 1e9;
}

void run(std::size_t mib, int rounds) {
  std::vector<float> out(mib << 18), copy(out.size());
  const std::size_t bytes = out.size() * sizeof(float);
  std::memset(copy.data(), 1, bytes);
  const double memory = speed(bytes, rounds, [&] { std::memcpy(out.data(), copy.data(), bytes); });
  fmt::print("{:8} {:8.2f} GB/s\n", "copy", memory);
  std::mt19937_64 random(1);
  for (const auto family : {legacy_blocks(), k_blocks(), iq4_blocks(), micro_blocks()}) {
    for (const BlockCodec& codec : family) {
      const std::size_t blocks = out.size() / codec.values;
      std::vector<std::uint8_t> codes(blocks * codec.bytes);
      // No code of a scale that is infinite or subnormal: both are slow in hardware and rare in files.
      for (auto& code : codes) code = static_cast<std::uint8_t>((random() & 0x3FU) | 0x20U);
      const double reached = speed(blocks * codec.values * sizeof(float), rounds,
                                   [&] { codec.decode(codes.data(), blocks, out.data()); });
      fmt::print("{:8} {:8.2f} GB/s {:6.1f} % of the copy\n", codec.name, reached, 100 * reached / memory);
    }
  }
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  stemma::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 64, argc > 2 ? std::atoi(argv[2]) : 5);
}
