// Do the curves of two models run alike?
#pragma once
#include "analyzers/pair_test.hpp"

namespace stemma {

/// Options: depth = interp_longer | refuse, min_layers (2..1000). Rows: the headline (score, twin score as
/// control), then one per curve with `role`: q, k, v, o, further curves by their names, twin.qk and so on.
const PairTest& intrinsic_pair_test();

}  // namespace stemma
