// How large is a model: what does its configuration say, and what do its shapes say?
#pragma once
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "io/model/architecture_choice.hpp"

namespace stemma {

struct ResolvedDims {
  Dims values;
  std::set<std::string> measured;  ///< those that were read from shapes or counted, and so cannot be wrong
  /// Those measured on a tensor that belongs to no layer, like the embedding: they hold in every layer.
  std::set<std::string> model_wide;
  std::map<int, Dims> per_layer;  ///< those that are `per_layer`, by layer

  /// All that hold in one layer.
  Dims in_layer(int layer) const;
};

/// Per dimension: the first of its cases that holds, else the config's value, else a shape's, else the
/// default. Where config and shape disagree, the shape wins (config_shape_mismatch); a padded vocabulary may
/// have more rows than the config says. A default that has no whole positive value is dims_unresolved.
ResolvedDims resolve_dims(const Explanation& explanation, const Checkpoint& checkpoint,
                          const NameIndex& names, const ModelConfig& config, FindingLedger& ledger);

/// Rows beyond a vocabulary that are there to make its size a round number: fewer than 8,192, and fewer than
/// the vocabulary has.
inline bool is_padding(std::uint64_t rows, std::uint64_t vocabulary) {
  return rows > vocabulary && rows - vocabulary < std::min<std::uint64_t>(vocabulary, 8'192);
}

}  // namespace stemma
