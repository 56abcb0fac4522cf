// How far apart are the gradient responses of two models?
#pragma once
#include "analyzers/pair_test.hpp"

namespace stemma {

/// Euclidean distance of the vectors of tensorguard, each feature standardised over the corpus: it has to be
/// fitted, and abstains (too_few_models) with fewer than three models that have a vector.
const PairTest& tensorguard_pair_test();

}  // namespace stemma
