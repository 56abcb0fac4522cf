// Which rows of a fused tensor belong to which role?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/model/architecture_expression.hpp"
#include "io/model/matrix.hpp"

namespace stemma {

/// One piece. In a `concat` it has `size` rows; in a `view` it takes [from, to) of the factor `axis`.
struct SplitPart {
  Part part = Part::unknown;
  Expression size = {};
  Expression from = {};
  Expression to = {};
  std::optional<Expression> paired_heads = {};  ///< how many heads have their rows stored pair by pair
};

/// A cut of the output axis of the (out, in) view. Without `view` the parts lie one after another. With
/// `view` the axis is factored, each part takes a range of one factor, and the other factors are flattened
/// again: [heads, 3, head_dim] with axis 1 is the layout that keeps q, k and v of one head together.
struct Split {
  std::vector<Expression> view;
  std::size_t axis = 0;
  std::vector<SplitPart> parts;
};

struct SplitSlice {
  Part part = Part::unknown;
  AxisSlice rows;
};

struct SplitResult {
  std::vector<SplitSlice> slices;  ///< empty when the split is impossible
  std::string why;
  bool unresolved = false;  ///< impossible because a dimension is not known
};

/// The parts cover the `out` rows without gap or overlap, or there are none.
SplitResult slices_of(const Split& split, std::uint64_t out, const Dims& dims);

/// "split attn.q 0:128 of 384"; with several runs "split attn.q 0:32 of every 96 of 384".
std::string described(const SplitSlice& slice, std::uint64_t out);

/// Makes a slice undo the order of `heads` heads whose rows are stored pair by pair. Returns why not where
/// the rows are no even number for each head, or where the runs cut one.
SplitResult unpaired(SplitSlice slice, const Expression& heads, const Dims& dims);

}  // namespace stemma
