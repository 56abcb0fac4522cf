// Which teams may an item have: whichever ends soonest, or the one that its size alone decides?
#pragma once
#include <cstdint>

namespace stemma {

/// With `by_size` every run forms the same teams, whatever the machine, the rates and the rest of the corpus,
/// so that spectra agree bit for bit; other widths change their last bits.
enum class WidthRule : std::uint8_t { soonest, by_size };

/// Ranks that decompose a matrix whose shorter side is k under WidthRule::by_size. One rank holds a Gram
/// matrix of 8192 x 8192 doubles (0.5 GiB); beyond, its share on a team is never larger than that.
constexpr int width_by_size(std::uint64_t k) {
  int width = 1;
  for (std::uint64_t side = 8192; k > side && width < 64; side *= 2) width *= 4;
  return width;
}

}  // namespace stemma
