// Row by row, so that nothing but the stored weights is held.
#include "analyzers/near_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "analyzers/origin_rounding.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr double lost_by_scales = 0x1p-8;  // of a value, relative

/// One row of a weight, and how far each element may be from what it was before it was rounded: to a number,
/// or to a code.
struct CodedRow {
  std::vector<double> values, halves, reach;
  bool codes = false;
};

CodedRow row_of(const HeldInputs& held, const CodedInput& weight, std::uint64_t row) {
  CodedRow out{held.rows(weight.values, row, 1), {}, {}, weight.half_distances.has_value()};
  if (out.codes) {
    out.halves = out.reach = held.rows(*weight.half_distances, row, 1);
    for (std::size_t i = 0; i < out.values.size(); ++i)
      out.reach[i] += lost_by_scales * std::abs(out.values[i]);
    return out;
  }
  out.halves.resize(out.values.size());
  out.reach.resize(out.values.size());
  const Dtype dtype = held.input(weight.values).dtype;
  for (std::size_t i = 0; i < out.values.size(); ++i)
    out.reach[i] = std::isfinite(out.values[i]) ? rounding_step(dtype, out.values[i]) / 2 : 0;
  return out;
}

/// Elements, and squares, counted over rows.
struct Nearness {
  std::uint64_t near = 0, on_codes = 0;
  double square = 0, one_halves = 0, other_halves = 0;

  /// Elements that are not finite count for nothing.
  void add(const CodedRow& one, const CodedRow& other);
};

void Nearness::add(const CodedRow& one, const CodedRow& other) {
  for (std::size_t i = 0; i < one.values.size(); ++i) {
    const double difference = std::abs(one.values[i] - other.values[i]);
    if (!std::isfinite(one.values[i]) || !std::isfinite(other.values[i])) continue;
    near += difference <= one.reach[i] + other.reach[i];
    on_codes += difference <= (one.codes ? 0 : one.reach[i]) + (other.codes ? 0 : other.reach[i]);
    square += difference * difference;
    one_halves += one.halves[i] * one.halves[i];
    other_halves += other.halves[i] * other.halves[i];
  }
}

}  // namespace

bool NearCodes::is_near() const {
  return share >= thresholds::near_codes && spread >= thresholds::near_codes_spread &&
         fineness <= thresholds::near_codes_fineness;
}
bool NearCodes::is_on_codes() const { return on_codes == 1; }
bool NearCodes::tells() const { return is_near() && control <= thresholds::near_codes_control; }

NearCodes compare_codes(const HeldInputs& held, const CodedInput& one, const CodedInput& other) {
  const Input& input = held.input(one.values);
  const std::uint64_t rows = input.rows, elements = rows * input.cols;
  Nearness in_place, displaced;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const CodedRow coded = row_of(held, one, row);
    in_place.add(coded, row_of(held, other, row));
    displaced.add(coded, row_of(held, other, (row + rows / 2) % rows));
  }
  const auto share = [&](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(elements);
  };
  const auto [finer, coarser] = std::minmax(in_place.one_halves, in_place.other_halves);
  return {.share = share(in_place.near),
          .control = rows > 1 ? share(displaced.near) : 1,
          .on_codes = share(in_place.on_codes),
          .fineness = std::sqrt(finer / coarser),
          .spread = std::sqrt(3 * in_place.square / (finer + coarser))};
}

}  // namespace stemma
