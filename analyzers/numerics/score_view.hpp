// How is a matrix of scores seen that somebody else holds?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace stemma {

/// A rows x columns matrix of float32: element (i, j) is values[i * stride + j].
struct ScoreView {
  std::span<const float> values;
  std::size_t rows = 0, columns = 0, stride = 0;

  std::span<const float> row(std::size_t i) const { return values.subspan(i * stride, columns); }
};

/// Throws std::invalid_argument when a side is 2^31 or more.
void check_sides(std::size_t rows, std::size_t columns);

/// Throws std::invalid_argument when the sides are too long, the stride is less than the columns, or the
/// values are too few.
void check_view(const ScoreView& scores);

/// The partner of who has none.
inline constexpr std::int32_t unmatched = -1;

}  // namespace stemma
