// What is an analyzer: one question asked of one model.
#include "analyzers/analyzer.hpp"

#include <stdexcept>

namespace stemma {

std::unique_ptr<Measurement> Analyzer::begin_together(const Subject&, std::span<const Input>,
                                                      std::span<const std::vector<double>>, Team&) const {
  throw std::logic_error("an analyzer whose subjects teams may share must say how they begin one");
}

}  // namespace stemma
