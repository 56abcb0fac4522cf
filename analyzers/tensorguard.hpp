// How do weights answer a gradient of their output's norm (arXiv 2506.01631)?
#pragma once
#include "analyzers/analyzer.hpp"

namespace stemma {

const Analyzer& tensorguard_analyzer();

}  // namespace stemma
