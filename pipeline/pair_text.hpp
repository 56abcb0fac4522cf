// What does a person read about one pair, and about where a score stands among those of unrelated models?
#pragma once
#include <string>

#include "analyzers/background.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"

namespace stemma {

/// "99.8 % of 3,486 pairs score lower", without its last two words: "99.8 % of 3,486". "below 25 % of 8,698"
/// where that is all that is known, "-" where nothing is. Rounded down, so that 100 % means all of them.
std::string standing_words(const Rank& rank);

/// All tests of one pair: first the score of each beside its control, its standing among unrelated pairs and
/// its null, then test by test what the score is, and the scores of curves, layers and weights behind it.
std::string pair_summary(const Fingerprint& a, const Fingerprint& b, const Pair& pair);

}  // namespace stemma
