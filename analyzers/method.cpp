// Most subjects are no work for a team.
#include "analyzers/method.hpp"

#include <stdexcept>

namespace stemma {

std::unique_ptr<Measurement> Method::begin_together(const Subject&, std::span<const Input>,
                                                    std::span<const std::vector<double>>, Team&) const {
  throw std::logic_error("a method whose subjects teams may share must say how they begin one");
}

}  // namespace stemma
