// Looking things up in a model.
#include "io/model/model.hpp"

#include <algorithm>
#include <utility>

namespace stemma {
namespace {

/// The order of Model::matrices: what has a role first.
auto order_of(const Role& role) { return std::pair(role.part == Part::unknown, role); }

}  // namespace

const Matrix* Model::find(const Role& role) const {
  const auto found = std::lower_bound(
      matrices.begin(), matrices.end(), role,
      [](const Matrix& matrix, const Role& wanted) { return order_of(matrix.role) < order_of(wanted); });
  return found != matrices.end() && found->role == role ? &*found : nullptr;
}

int Model::layers() const {
  int largest = -1;
  for (const Matrix& matrix : matrices) {
    if (matrix.role.stack == Stack::decoder) largest = std::max(largest, matrix.role.layer);
  }
  return largest + 1;
}

std::optional<std::int64_t> Model::dim(const std::string& name) const {
  const auto found = dims.find(name);
  return found == dims.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Model::parameters() const {
  std::vector<bool> counted(checkpoint.tensors.size(), false);
  std::uint64_t total = 0;
  for (const Matrix& matrix : matrices) {
    if (matrix.role.part == Part::unknown || matrix.role.part == Part::buffer || counted[matrix.tensor])
      continue;
    counted[matrix.tensor] = true;
    total += checkpoint.tensors[matrix.tensor].elements();
  }
  return total;
}

std::uint64_t Model::bytes() const {
  std::uint64_t total = 0;
  for (const StoredTensor& tensor : checkpoint.tensors) total += tensor.stored_bytes();
  return total;
}

Dtype dtype_of(const Model& model, const Matrix& matrix) {
  return model.checkpoint.tensors[matrix.tensor].dtype;
}

std::string path_of(const Matrix& matrix, const Checkpoint& checkpoint) {
  const Part part = matrix.role.part;
  if (part != Part::other && part != Part::unknown) return path_of(matrix.role);
  return std::string(name_of(part)) + "/" + checkpoint.tensors[matrix.tensor].name;
}

}  // namespace stemma
