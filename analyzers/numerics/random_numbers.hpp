// Which uniform and normal numbers belong to a seed, a stream and a place?
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace stemma {

/// Four words of Philox4x32-10. Streams tell apart what one seed is used for; `attempt` numbers the words of
/// one place.
std::array<std::uint32_t, 4> random_words(std::uint64_t seed, std::uint32_t stream, std::uint64_t place,
                                          std::uint32_t attempt = 0);

/// In [0, 1), from the upper 53 of 64 bits.
double uniform_number(std::uint32_t high, std::uint32_t low);

/// n standard normal numbers. Each pair of them depends on (seed, stream) and its own place alone, so a
/// longer sequence begins with a shorter one. Polar method (Marsaglia, Bray, SIAM Review 6, 1964).
std::vector<double> normal_numbers(std::uint64_t seed, std::uint32_t stream, std::uint64_t n);

}  // namespace stemma
