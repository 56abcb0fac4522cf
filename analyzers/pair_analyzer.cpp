// Matrices are found by role on both sides.
#include "analyzers/pair_analyzer.hpp"

namespace stemma {

std::optional<ModelPair::Both> ModelPair::find(const Role& role) const {
  const Matrix* of_base = base->find(role);
  const Matrix* of_candidate = candidate->find(role);
  if (of_base == nullptr || of_candidate == nullptr) return std::nullopt;
  return Both{static_cast<std::uint32_t>(of_base - base->matrices.data()),
              first_of_candidate + static_cast<std::uint32_t>(of_candidate - candidate->matrices.data())};
}

}  // namespace stemma
