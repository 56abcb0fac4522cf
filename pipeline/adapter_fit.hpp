// To which weights of the base do the modules of an adapter belong, and do the factors fit them?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/formats/adapter.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// A pair of factors and the stored tensor that it updates.
struct FittedPair {
  const LoraPair* pair = nullptr;
  std::uint32_t tensor = 0;             ///< index into the base's stored tensors
  std::vector<std::uint32_t> matrices;  ///< of the base that lie in it, in their order; at least one

  /// Sides of the update as a canonical (out, in) matrix, whole.
  std::uint64_t rows() const { return pair->embedding ? pair->a.shape[1] : pair->b.shape[0]; }
  std::uint64_t cols() const { return pair->embedding ? pair->b.shape[0] : pair->a.shape[1]; }
};

/// In the order of the adapter's pairs; both must outlive the result. A module is found under its own name,
/// or with the first of its words ("model", "transformer", "gpt_neox") left out or added: bases are saved
/// with and without it. Throws InvalidInput as trace_adapter says.
std::vector<FittedPair> fit_adapter(const Adapter& adapter, const Model& base);

}  // namespace stemma
