// Are two tensors the same bytes?
#pragma once
#include "analyzers/analyzer.hpp"

namespace stemma {

const Analyzer& content_analyzer();

}  // namespace stemma
