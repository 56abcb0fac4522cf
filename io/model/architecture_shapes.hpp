// Do the tensors have the shapes that their roles ask for?
#pragma once
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "io/model/architecture_dims.hpp"

namespace stemma {

/// What an entry asks of its tensors, for the dimensions of one model.
struct ExpectedShape {
  std::vector<Expression::Value> axes;
  std::vector<bool>
      is_fixed;  ///< per axis: a size that holds for the whole model, so that no tensor may differ
};
ExpectedShape expected_shape(const Entry& entry, const ResolvedDims& dims, const Dims& values);

/// What all entries of a table ask, per layer where that makes a difference; each is computed once.
class ExpectedShapes {
 public:
  ExpectedShapes(const Architecture& table, const ResolvedDims& dims);
  const ExpectedShape& of(std::uint32_t entry, int layer);

 private:
  const Architecture& table_;
  const ResolvedDims& dims_;
  std::vector<ExpectedShape> common_;
  std::vector<bool> varies_;                                         ///< per entry: its layers differ
  std::map<std::pair<std::uint32_t, int>, ExpectedShape> in_layer_;  ///< of entries that vary
};

/// Shape of a stored tensor in canonical order of its axes: (out, in), (experts, out, in); biases (out). The
/// one axis of experts and rows of a `flat` stack is taken apart by the expected number of experts, and left
/// as it is when that does not divide it.
std::vector<std::uint64_t> canonical_shape(const Entry& entry, bool bias,
                                           const std::vector<std::uint64_t>& stored,
                                           const ExpectedShape& expected);

/// The stored axes are the expected ones, the wrong way round: the layout of the table cannot be that of the
/// file. One axis is enough to tell when its size is fixed.
bool is_turned(const Entry& entry, const std::vector<std::uint64_t>& canonical,
               const ExpectedShape& expected);

/// The first axis that contradicts a fixed size: such a tensor has no place in the model.
std::optional<std::size_t> impossible_axis(const Entry& entry, const std::vector<std::uint64_t>& canonical,
                                           const ExpectedShape& expected);

/// Compares every used tensor with the shape that its entry expects (config_shape_mismatch). A dimension
/// about which all tensors agree is set to what they say, whether the configuration says something else or
/// nothing; what cannot be settled that way is removed. So are numbers of heads that cannot share key and
/// value heads in equal groups.
void reconcile_dims(const Explanation& explanation, const Checkpoint& checkpoint, ResolvedDims& dims,
                    FindingLedger& ledger);

}  // namespace stemma
