// What are the singular values of every matrix?
#pragma once
#include "analyzers/analyzer.hpp"
#include "analyzers/numerics/singular_values.hpp"

namespace stemma {

const Analyzer& spectrum_analyzer();

/// A spectrum as named numbers: archives and tables know these names.
Features features_of(const Spectrum& spectrum, const MatrixForm& form);

}  // namespace stemma
