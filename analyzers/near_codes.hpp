// Is a quantised weight as near to another one as rounding to its codes leaves it?
#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include "analyzers/held_inputs.hpp"

namespace stemma {

/// How many elements of two weights are near each other. Where all half distances are 0 fineness and spread
/// are NaN, and the weights not near.
struct NearCodes {
  double share = 0;     ///< of the elements, in [0, 1]
  double control = 1;   ///< of the same elements and those of the weight half of the rows further on; 1 where
                        ///< there is one row
  double on_codes = 0;  ///< of elements that are no further apart than numbers are rounded: where one side is
                        ///< not quantised, it holds the values of the other's codes there
  double fineness = 1;  ///< root mean square of the half distances of the finer side over that of the coarser
                        ///< one; 0 where one side holds numbers
  double spread = 0;    ///< root mean square difference over that of uniform errors up to the half distances:
                      ///< 1 where each side was rounded by itself, little where both have the same codes and
                      ///< one of them something more
  /// As near as a copy that was rounded to codes, and no nearer. Of two sides with codes one has to be much
  /// finer: else both roundings together hide an update of a whole step.
  bool is_near() const;
  /// ... and nearer than what a weight of this kind is to anything.
  bool tells() const;
  /// All elements are numbers that were made from the codes.
  bool is_on_codes() const;
};

/// One weight of `held`: which of its inputs are the values and, of a quantised one, the half distances.
struct CodedInput {
  std::size_t values = 0;
  std::optional<std::size_t> half_distances;
};

/// Elements x and y are near where |x - y| is at most the sum of what rounding may have moved either by: half
/// a step of its type; of codes the half distance h and 2^-8 |x|, which is what a scale may have lost that
/// was rounded to BF16 after the codes were chosen. Elements that are not finite are near to nothing. Inputs
/// have one shape, plain floats as values.
NearCodes compare_codes(const HeldInputs& held, const CodedInput& one, const CodedInput& other);

}  // namespace stemma
