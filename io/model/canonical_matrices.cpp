// Layouts, stacks and splits become views of stored tensors.
#include "io/model/canonical_matrices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace stemma {
namespace {

constexpr std::uint64_t most_experts = 65'536;

bool is_norm(Part part) {
  const auto name = name_of(part);
  return name.starts_with("norm.") || name.ends_with("_norm") || name.ends_with(".norm");
}

/// The whole tensor as one matrix: further axes are inner axes of a row.
Matrix whole(std::uint32_t index, const StoredTensor& tensor) {
  Matrix matrix;
  matrix.tensor = index;
  matrix.vector = tensor.shape.size() < 2;
  matrix.rows = tensor.shape.empty() ? 1 : tensor.shape.front();
  for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis) matrix.cols *= tensor.shape[axis];
  matrix.stored_rows = matrix.rows;
  matrix.slice = {1, matrix.rows, 0, matrix.rows};
  return matrix;
}

class Cutter {
 public:
  Cutter(const Explanation& explanation, const Checkpoint& checkpoint, const Dims& dims,
         FindingLedger& ledger)
      : explanation_(explanation), checkpoint_(checkpoint), dims_(dims), ledger_(ledger) {}

  std::vector<Matrix> run() {
    for (std::uint32_t i = 0; i < checkpoint_.tensors.size(); ++i) cut(i);
    reject_shared_roles();
    std::stable_sort(matrices_.begin(), matrices_.end(), [](const Matrix& a, const Matrix& b) {
      const auto key = [](const Matrix& m) { return std::pair(m.role.part == Part::unknown, m.role); };
      return key(a) < key(b);
    });
    return std::move(matrices_);
  }

 private:
  using Fate = TensorUse::Fate;

  const StoredTensor& tensor(std::uint32_t i) const { return checkpoint_.tensors[i]; }

  void note(std::uint32_t i, const std::string& rule, std::string expected, std::string found,
            std::string hint, Severity severity = Severity::warning) {
    ledger_.add({.severity = severity,
                 .rule = rule,
                 .expected = std::move(expected),
                 .found = std::move(found),
                 .hint = std::move(hint)},
                fold_numbers(tensor(i).name), i);
  }

  void keep_unknown(std::uint32_t i) { matrices_.push_back(whole(i, tensor(i))); }

  void cut(std::uint32_t i) {
    const TensorUse& use = explanation_.uses[i];
    switch (use.fate) {
      case Fate::used:
        cut_used(i, use);
        return;
      case Fate::buffer:
        note(i, "ignored_buffer", "", "", "not a weight, left out", Severity::note);
        return;
      case Fate::unknown:
        if (explanation_.table != nullptr) {
          note(i, "unknown_tensor", "", fmt::format("[{}]", fmt::join(tensor(i).shape, ", ")),
               fmt::format("the table of {} does not know this name", explanation_.table->family));
        }
        break;
      case Fate::wrong_rank:
        note(i, "shape_mismatch", expected_shape(use), fmt::format("[{}]", fmt::join(tensor(i).shape, ", ")),
             "the number of axes is not the family's, so the role is unknown");
        break;
      case Fate::not_real:
        note(i, "dtype.not_a_weight", "a real type", std::string(name_of(tensor(i).dtype)),
             "codes are not values: their statistics would mean nothing, so the role is unknown");
        break;
    }
    keep_unknown(i);
  }

  std::string expected_shape(const TensorUse& use) const {
    const Entry& entry = explanation_.table->entries[use.entry];
    if (use.bias) return is_stack(entry.layout) ? "[experts, out]" : "[out]";
    std::vector<std::string> axes;
    for (const Expression& axis : entry.shape) axes.push_back(axis.text());
    return fmt::format("[{}]", fmt::join(axes, ", "));
  }

  void cut_used(std::uint32_t i, const TensorUse& use) {
    const Entry& entry = explanation_.table->entries[use.entry];
    const auto shape = canonical_shape(entry, use.bias, tensor(i).shape);
    if (!use.bias && is_turned(entry, shape, dims_)) {
      note(i, "layout_contradicted", expected_shape(use), fmt::format("[{}]", fmt::join(shape, ", ")),
           "rows and columns are exchanged, so the layout is not the family's and the role is unknown");
      return keep_unknown(i);
    }
    const bool stack = is_stack(entry.layout);
    const std::uint64_t experts = stack ? shape.front() : 1;
    if (stack && (experts > most_experts || tensor(i).elements() == 0)) {
      note(i, "shape_mismatch", fmt::format("1 to {} experts", most_experts), fmt::format("{}", experts),
           "not a stack of experts, so the role is unknown");
      return keep_unknown(i);
    }
    Matrix slab = whole(i, tensor(i));
    if (stack) {
      slab.rows = shape[1];
      slab.cols = use.bias ? 1 : shape[2];
    } else if (!use.bias && is_transposed(entry.layout)) {
      std::swap(slab.rows, slab.cols);
    }
    slab.vector = use.bias || slab.vector;
    slab.transposed = !use.bias && is_transposed(entry.layout);
    slab.stored_rows = slab.rows;
    const auto slices = slices_for(i, entry, slab.rows);
    if (slices.empty()) return keep_unknown(i);
    for (std::uint64_t expert = 0; expert < experts; ++expert) {
      for (const SplitSlice& slice : slices) {
        Matrix matrix = slab;
        matrix.first_element = expert * slab.rows * slab.cols;
        matrix.rows = slice.rows.rows();
        matrix.slice = slice.rows;
        matrix.role = {entry.stack, use.at.layer, slice.part,
                       stack ? static_cast<int>(expert) : use.at.expert,
                       use.bias ? Kind::bias : Kind::weight};
        if (is_norm(slice.part) && !use.bias) {
          matrix.gain_offset = entry.offset.value_or(explanation_.table->norm_offset);
        }
        matrix.steps = steps(matrix, slice, expert, experts, stack, entry.split.has_value());
        matrices_.push_back(std::move(matrix));
      }
    }
  }

  /// The pieces of the output axis; none, after a finding, when it cannot be cut.
  std::vector<SplitSlice> slices_for(std::uint32_t i, const Entry& entry, std::uint64_t out) {
    if (!entry.split) return {{*entry.part, {1, out, 0, out}}};
    SplitResult result = slices_of(*entry.split, out, dims_);
    if (result.slices.empty()) {
      note(i, result.unresolved ? "dims_unresolved" : "split_inexact", "", result.why,
           "the fused tensor cannot be cut, so the role is unknown");
    }
    return std::move(result.slices);
  }

  static std::string steps(const Matrix& matrix, const SplitSlice& slice, std::uint64_t expert,
                           std::uint64_t experts, bool stack, bool split) {
    std::vector<std::string> done;
    if (stack) done.push_back(fmt::format("expert {} of {}", expert, experts));
    if (matrix.transposed) done.emplace_back("transpose");
    if (split) done.push_back(described(slice, matrix.stored_rows));
    return fmt::format("{}", fmt::join(done, "; "));
  }

  /// Which of two tensors has the role cannot be known: neither gets it.
  void reject_shared_roles() {
    std::map<Role, std::uint32_t> owners;
    std::vector<bool> rejected(checkpoint_.tensors.size(), false);
    for (const Matrix& matrix : matrices_) {
      if (matrix.role.part == Part::unknown || matrix.role.part == Part::other) continue;
      const auto [owner, is_first] = owners.emplace(matrix.role, matrix.tensor);
      if (is_first || owner->second == matrix.tensor) continue;
      const bool same_name = explanation_.uses[owner->second].entry == explanation_.uses[matrix.tensor].entry;
      if (!rejected[matrix.tensor]) {
        note(matrix.tensor, same_name ? "prefix_collision" : "role_collision", "",
             fmt::format("\"{}\" is {} too", printable(tensor(owner->second).name), path_of(matrix.role)),
             "two tensors claim one role, so neither has it", Severity::error);
      }
      rejected[matrix.tensor] = rejected[owner->second] = true;
    }
    matrices_.erase(std::remove_if(matrices_.begin(), matrices_.end(),
                                   [&](const Matrix& matrix) { return rejected[matrix.tensor]; }),
                    matrices_.end());
    for (std::uint32_t i = 0; i < rejected.size(); ++i) {
      if (rejected[i]) keep_unknown(i);
    }
    // Sorting is stable: unknown and other matrices, which share their role, stay in the order of their
    // names.
    std::stable_sort(matrices_.begin(), matrices_.end(),
                     [](const Matrix& a, const Matrix& b) { return a.tensor < b.tensor; });
  }

  const Explanation& explanation_;
  const Checkpoint& checkpoint_;
  const Dims& dims_;
  FindingLedger& ledger_;
  std::vector<Matrix> matrices_;
};

}  // namespace

std::vector<Matrix> canonical_matrices(const Explanation& explanation, const Checkpoint& checkpoint,
                                       const Dims& dims, FindingLedger& ledger) {
  return Cutter(explanation, checkpoint, dims, ledger).run();
}

}  // namespace stemma
