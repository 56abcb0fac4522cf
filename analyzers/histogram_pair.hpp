// Which tensors of two models hold the same values in another order?
#pragma once
#include "analyzers/pair_test.hpp"

namespace stemma {

const PairTest& histogram_pair_test();

}  // namespace stemma
