// Layouts, stacks and splits become views of stored tensors.
#include "io/model/canonical_matrices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace stemma {
namespace {

constexpr std::uint64_t most_experts = 65'536;
/// Views are larger than the few bytes of a file that can ask for them, so their number has a bound of its
/// own.
constexpr std::uint64_t most_stacked_views = std::uint64_t{1} << 20;

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
  Cutter(const Explanation& explanation, const Checkpoint& checkpoint, const ResolvedDims& dims,
         FindingLedger& ledger)
      : explanation_(explanation), checkpoint_(checkpoint), dims_(dims), ledger_(ledger) {
    if (explanation.table != nullptr) expected_.emplace(*explanation.table, dims);
  }

  std::vector<Matrix> run() {
    for (std::uint32_t i = 0; i < checkpoint_.tensors.size(); ++i) look_for_turned(i);
    for (std::uint32_t i = 0; i < checkpoint_.tensors.size(); ++i) cut(i);
    reject_shared_roles();
    sort_by_role();
    if (reject_unequal_biases()) sort_by_role();
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

  void keep(std::uint32_t i, Part part) {
    matrices_.push_back(whole(i, tensor(i)));
    matrices_.back().role.part = part;
  }
  void keep_unknown(std::uint32_t i) { keep(i, Part::unknown); }

  /// Sorting is stable: unknown and other matrices, which share their role, stay in the order of their names.
  void sort_by_role() {
    std::stable_sort(matrices_.begin(), matrices_.end(), [](const Matrix& a, const Matrix& b) {
      const auto key = [](const Matrix& m) { return std::pair(m.role.part == Part::unknown, m.role); };
      return key(a) < key(b);
    });
  }

  const Entry& entry_of(std::uint32_t i) const {
    return explanation_.table->entries[explanation_.uses[i].entry];
  }

  const ExpectedShape& expected(std::uint32_t i) {
    return expected_->of(explanation_.uses[i].entry, explanation_.uses[i].at.layer);
  }

  std::vector<std::uint64_t> shape_of(std::uint32_t i) {
    return canonical_shape(entry_of(i), explanation_.uses[i].bias, tensor(i).shape, expected(i));
  }

  bool is_turned_tensor(std::uint32_t i) {
    const TensorUse& use = explanation_.uses[i];
    if (use.fate != Fate::used || use.bias) return false;
    return is_turned(entry_of(i), shape_of(i), expected(i));
  }

  void look_for_turned(std::uint32_t i) {
    if (is_turned_tensor(i)) turned_layouts_.insert(entry_of(i).layout);
  }

  /// True, after a finding, when the shape of a weight cannot be that of its role.
  bool is_misshapen(std::uint32_t i, const std::vector<std::uint64_t>& shape) {
    const Entry& entry = entry_of(i);
    const auto refuse = [&](const std::string& rule, const std::string& why) {
      note(i, rule, asked_of(explanation_.uses[i]), fmt::format("[{}]", fmt::join(shape, ", ")),
           why + ", so the role is unknown");
      return true;
    };
    if (is_turned_tensor(i)) {
      return refuse("layout_contradicted", "rows and columns are exchanged: the layout is not the family's");
    }
    const std::size_t n = shape.size();
    const bool is_square = n >= 2 && !entry.convolution && shape[n - 1] == shape[n - 2] && shape[n - 1] > 1;
    if (is_square && turned_layouts_.contains(entry.layout)) {
      return refuse(
          "layout_contradicted",
          "other tensors have rows and columns exchanged, and a square one does not show whether it has");
    }
    const auto axis = impossible_axis(entry, shape, expected(i));
    return axis && refuse("shape_mismatch", fmt::format("axis {} contradicts the rest of the model", *axis));
  }

  void cut(std::uint32_t i) {
    const TensorUse& use = explanation_.uses[i];
    switch (use.fate) {
      case Fate::used:
        cut_used(i, use);
        return;
      case Fate::other:
        keep(i, Part::other);
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
        note(i, "shape_mismatch", asked_of(use), fmt::format("[{}]", fmt::join(tensor(i).shape, ", ")),
             "the number of axes is not the family's, so the role is unknown");
        break;
      case Fate::wrong_layer:
        note(i, "layer_number", "a layer below 10000", fmt::format("{}", use.at.layer),
             "no model is that deep, so the role is unknown");
        break;
      case Fate::not_real:
        note(i, "dtype.not_a_weight", "a real type", std::string(name_of(tensor(i).dtype)),
             "codes are not values: their statistics would mean nothing, so the role is unknown");
        break;
    }
    keep_unknown(i);
  }

  std::string asked_of(const TensorUse& use) const {
    const Entry& entry = explanation_.table->entries[use.entry];
    if (use.bias) return is_stack(entry.layout) ? "[experts, out]" : "[out]";
    std::vector<std::string> axes;
    for (const Expression& axis : entry.shape) axes.push_back(axis.text());
    return fmt::format("[{}]", fmt::join(axes, ", "));
  }

  void cut_used(std::uint32_t i, const TensorUse& use) {
    const Entry& entry = explanation_.table->entries[use.entry];
    const auto shape = shape_of(i);
    if (!use.bias && is_misshapen(i, shape)) return keep_unknown(i);
    const bool stack = is_stack(entry.layout);
    const std::uint64_t experts = stack ? shape.front() : 1;
    if (entry.flat && !use.bias && shape.size() != 3) {
      note(i, "dims_unresolved", "experts that divide the first axis", fmt::format("{}", shape.front()),
           "experts and rows are one axis and cannot be taken apart, so the role is unknown");
      return keep_unknown(i);
    }
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
    const auto slices = slices_for(i, use.at.layer, entry, slab.rows);
    if (slices.empty()) return keep_unknown(i);
    if (stack && (stacked_views_ += experts * slices.size()) > most_stacked_views) {
      note(i, "limit.experts", fmt::format("at most {} matrices in stacks of one model", most_stacked_views),
           "", "no model has that many experts, so the role is unknown");
      return keep_unknown(i);
    }
    for (std::uint64_t expert = 0; expert < experts; ++expert) {
      for (const SplitSlice& slice : slices) {
        Matrix matrix = slab;
        matrix.first_element = expert * slab.rows * slab.cols;
        matrix.rows = slice.rows.rows();
        matrix.slice = slice.rows;
        matrix.role = {use.stack, use.at.layer, slice.part, stack ? static_cast<int>(expert) : use.at.expert,
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
  std::vector<SplitSlice> slices_for(std::uint32_t i, int layer, const Entry& entry, std::uint64_t out) {
    const SplitSlice all{entry.part.value_or(Part::unknown), {1, out, 0, out}};
    if (!entry.split && !entry.paired_heads) return {all};
    const Dims dims = dims_.in_layer(layer);
    SplitResult result =
        entry.split ? slices_of(*entry.split, out, dims) : unpaired(all, *entry.paired_heads, dims);
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
    if (slice.rows.head != 0) done.push_back(fmt::format("unpair heads of {}", slice.rows.head));
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
    reject(rejected);
  }

  /// A bias belongs to the rows of its weight, one value to each. True when there were others.
  bool reject_unequal_biases() {
    std::vector<bool> rejected(checkpoint_.tensors.size(), false);
    bool any = false;
    for (std::size_t i = 1; i < matrices_.size(); ++i) {  // the weight stands before its bias
      const Matrix &weight = matrices_[i - 1], &bias = matrices_[i];
      Role role = weight.role;
      role.kind = Kind::bias;
      const bool is_pair = weight.role.kind == Kind::weight && bias.role == role &&
                           role.part != Part::unknown && role.part != Part::other;
      if (!is_pair || weight.rows == bias.rows) continue;
      if (!rejected[bias.tensor]) {
        note(bias.tensor, "shape_mismatch", fmt::format("[{}]", weight.rows), fmt::format("[{}]", bias.rows),
             "not as long as its weight has rows, so the role is unknown");
      }
      any = rejected[bias.tensor] = true;
    }
    if (any) reject(rejected);
    return any;
  }

  void reject(const std::vector<bool>& rejected) {
    std::erase_if(matrices_, [&](const Matrix& matrix) { return rejected[matrix.tensor]; });
    for (std::uint32_t i = 0; i < rejected.size(); ++i) {
      if (rejected[i]) keep_unknown(i);
    }
    std::stable_sort(matrices_.begin(), matrices_.end(),
                     [](const Matrix& a, const Matrix& b) { return a.tensor < b.tensor; });
  }

  const Explanation& explanation_;
  const Checkpoint& checkpoint_;
  const ResolvedDims& dims_;
  FindingLedger& ledger_;
  std::optional<ExpectedShapes> expected_;  ///< of the table
  std::set<Layout> turned_layouts_;         ///< of which a tensor has its axes exchanged
  std::uint64_t stacked_views_ = 0;
  std::vector<Matrix> matrices_;
};

}  // namespace

std::vector<Matrix> canonical_matrices(const Explanation& explanation, const Checkpoint& checkpoint,
                                       const ResolvedDims& dims, FindingLedger& ledger) {
  return Cutter(explanation, checkpoint, dims, ledger).run();
}

}  // namespace stemma
