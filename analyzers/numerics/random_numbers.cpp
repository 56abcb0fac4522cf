// A pure function of seed, stream and place: nothing is advanced, so order and ranks do not matter.
#include "analyzers/numerics/random_numbers.hpp"

#include <cmath>

#include "analyzers/numerics/philox.hpp"
#include "analyzers/numerics/portable_log.hpp"

namespace stemma {

std::array<std::uint32_t, 4> random_words(std::uint64_t seed, std::uint32_t stream, std::uint64_t place,
                                          std::uint32_t attempt) {
  return philox(
      {static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32U), attempt, stream},
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)});
}

double uniform_number(std::uint32_t high, std::uint32_t low) {
  return static_cast<double>((std::uint64_t{high} << 32U | low) >> 11U) * 0x1p-53;
}

std::vector<double> normal_numbers(std::uint64_t seed, std::uint32_t stream, std::uint64_t n) {
  std::vector<double> out(n);
  for (std::uint64_t pair = 0; 2 * pair < n; ++pair) {
    double u = 0, v = 0, square = 0;
    for (std::uint32_t attempt = 0; square == 0 || square >= 1; ++attempt) {
      const auto words = random_words(seed, stream, pair, attempt);
      u = 2 * uniform_number(words[0], words[1]) - 1;
      v = 2 * uniform_number(words[2], words[3]) - 1;
      square = u * u + v * v;
    }
    const double length = std::sqrt(-2 * portable_log(square) / square);
    out[2 * pair] = u * length;
    if (2 * pair + 1 < n) out[2 * pair + 1] = v * length;
  }
  return out;
}

}  // namespace stemma
