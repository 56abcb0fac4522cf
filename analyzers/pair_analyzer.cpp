// Matrices are found by role on both sides.
#include "analyzers/pair_analyzer.hpp"

namespace stemma {

namespace {

std::optional<std::uint32_t> index_in(const Model& model, const Role& role, std::uint32_t first) {
  const Matrix* matrix = model.find(role);
  if (matrix == nullptr) return std::nullopt;
  return first + static_cast<std::uint32_t>(matrix - model.matrices.data());
}

}  // namespace

std::optional<std::uint32_t> ModelPair::in_base(const Role& role) const { return index_in(*base, role, 0); }

std::optional<std::uint32_t> ModelPair::in_candidate(const Role& role) const {
  return index_in(*candidate, role, first_of_candidate);
}

std::optional<ModelPair::Both> ModelPair::find(const Role& role) const {
  const auto of_base = in_base(role), of_candidate = in_candidate(role);
  if (!of_base || !of_candidate) return std::nullopt;
  return Both{*of_base, *of_candidate};
}

}  // namespace stemma
