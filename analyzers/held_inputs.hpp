// How are matrices kept as they are stored until all of them have come?
#pragma once
#include <cstddef>
#include <cstdint>
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
  std::vector<double> values(std::size_t i) const { return rows(i, 0, inputs_[i].rows); }
  /// The same of `count` rows from `first` on.
  std::vector<double> rows(std::size_t i, std::uint64_t first, std::uint64_t count) const;

 private:
  std::vector<Input> inputs_;
  std::vector<std::vector<std::byte>> bytes_;
};

}  // namespace stemma
