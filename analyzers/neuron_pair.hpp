// Are two models inconsistent with independent initialisation?
#pragma once
#include "analyzers/pair_test.hpp"

namespace stemma {

const PairTest& neuron_pair_test();

}  // namespace stemma
