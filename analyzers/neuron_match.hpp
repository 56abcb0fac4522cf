// Which neurons does a model have, in a form that no exact change of its parameters moves?
#pragma once
#include "analyzers/analyzer.hpp"

namespace stemma {

const Analyzer& neuron_match_analyzer();

}  // namespace stemma
