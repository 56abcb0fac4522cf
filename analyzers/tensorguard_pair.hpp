// How far apart are the gradient responses of two models?
#pragma once
#include "analyzers/pair_test.hpp"

namespace stemma {

/// Euclidean distance of the vectors of tensorguard, each feature standardised over the corpus: it has to be
/// fitted, and abstains (too_few_models) with fewer than three models that have a vector. Behind that
/// headline one row for each projection whose repaired responses both models have: Pearson's r of the
/// kurtoses over layers, that of the skewnesses in the detail. Unlike the headline they need no corpus. They
/// abstain below thresholds::min_layers layers, and for models of different depth (unaligned).
const PairTest& tensorguard_pair_test();

}  // namespace stemma
