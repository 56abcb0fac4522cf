// Which vector instructions do our kernels use?
#pragma once
#include <string>
#include <vector>

namespace stemma {

/// Instruction sets for which this program holds kernels and which this processor offers, best first: "AVX3",
/// "AVX2",
/// ... (the names are Highway's). All give the same bits; the first one is used.
std::vector<std::string> simd_targets();

/// For tests: while it lives, kernels use this instruction set alone. Throws std::invalid_argument for a name
/// that is not among simd_targets().
class ForcedSimdTarget {
 public:
  explicit ForcedSimdTarget(const std::string& name);
  ~ForcedSimdTarget();
  ForcedSimdTarget(const ForcedSimdTarget&) = delete;
  ForcedSimdTarget& operator=(const ForcedSimdTarget&) = delete;
};

}  // namespace stemma
