// Panels are copied to where their rows belong.
#include "analyzers/held_inputs.hpp"

#include <algorithm>

#include "io/model/widen.hpp"

namespace stemma {

HeldInputs::HeldInputs(std::span<const Input> inputs)
    : inputs_(inputs.begin(), inputs.end()), bytes_(inputs.size()) {}

void HeldInputs::take(std::size_t input, const Panel& panel) {
  std::vector<std::byte>& held = bytes_[input];
  const std::size_t row = panel.rows == 0 ? 0 : panel.bytes.size() / panel.rows;
  if (held.empty()) held.resize(row * inputs_[input].rows);
  std::copy(panel.bytes.begin(), panel.bytes.end(),
            held.begin() + static_cast<std::ptrdiff_t>(row * panel.first_row));
}

std::vector<double> HeldInputs::rows(std::size_t i, std::uint64_t first, std::uint64_t count) const {
  std::vector<double> out(count * inputs_[i].cols);
  const std::size_t row = bytes_[i].empty() ? 0 : bytes_[i].size() / inputs_[i].rows;
  widen(inputs_[i].dtype, std::span(bytes_[i]).subspan(first * row, count * row), out);
  return out;
}

}  // namespace stemma
