// How are matrices kept as they are stored until all of them have come?
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "analyzers/method.hpp"

namespace stemma {

/// Inputs of a subject in their stored types, whole: half or a quarter of what their values would take.
class HeldInputs {
 public:
  explicit HeldInputs(std::span<const Input> inputs);
  void take(std::size_t input, const Panel& panel);
  const Input& input(std::size_t i) const { return inputs_[i]; }
  /// Row-major rows x cols.
  std::vector<double> values(std::size_t i) const;

 private:
  std::vector<Input> inputs_;
  std::vector<std::vector<std::byte>> bytes_;
};

}  // namespace stemma
