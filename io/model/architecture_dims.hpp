// How large is a model: what does its configuration say, and what do its shapes say?
#pragma once
#include <set>
#include <string>

#include "io/model/architecture_choice.hpp"

namespace stemma {

struct ResolvedDims {
  Dims values;
  std::set<std::string> measured;  ///< those that were read from shapes or counted, and so cannot be wrong
};

/// Per dimension: the config's value, else a shape's, else the default. Where config and shape disagree, the
/// shape wins (config_shape_mismatch); a padded vocabulary may have more rows than the config says.
ResolvedDims resolve_dims(const Explanation& explanation, const Checkpoint& checkpoint,
                          const NameIndex& names, const ModelConfig& config, FindingLedger& ledger);

/// Compares every used tensor with the shape that its entry expects. A dimension that all tensors of an entry
/// contradict in the same way is set to what they say; what cannot be settled that way is removed.
void reconcile_dims(const Explanation& explanation, const Checkpoint& checkpoint, ResolvedDims& dims,
                    FindingLedger& ledger);

/// Shape of a stored tensor in canonical order of its axes: (out, in), (experts, out, in); biases (out).
std::vector<std::uint64_t> canonical_shape(const Entry& entry, bool bias,
                                           const std::vector<std::uint64_t>& stored);

/// The stored axes are the expected ones, the wrong way round: the layout of the table cannot be that of the
/// file.
bool is_turned(const Entry& entry, const std::vector<std::uint64_t>& canonical, const Dims& dims);

}  // namespace stemma
