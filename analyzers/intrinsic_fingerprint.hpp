// Which curves over layers does a model have?
#pragma once
#include "analyzers/analyzer.hpp"

namespace stemma {

const Analyzer& intrinsic_fingerprint_analyzer();

}  // namespace stemma
