// Can the repaired responses of an archive be those of any weights?
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "io/archive/fingerprint.hpp"
#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"

namespace stemma {
namespace {

constexpr double rounding = 1e-9;

std::string path_of_column(const RepairedColumn& column) {
  return std::string("methods/tensorguard/") + column.name;
}

}  // namespace

void check_responses(const h5::File& file, ComplaintList& complaints) {
  const TableReader table(file);
  std::array<std::vector<double>, repaired_columns.size()> values;
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = table.read<double>(path_of_column(repaired_columns[i]));
  const auto& [kurtosis, skewness, mean, spread, size] = values;
  for (std::size_t i = 0; i < kurtosis.size(); ++i) {
    const auto complain = [&](std::size_t column, std::string problem) {
      complaints.add("response", path_of_column(repaired_columns[column]),
                     fmt::format("row {}, {}: {}", i / projection_parts.size(),
                                 projection_parts[i % projection_parts.size()], problem));
    };
    const bool known = std::isfinite(kurtosis[i]);
    for (std::size_t c = 0; c < values.size(); ++c)
      if (std::isfinite(values[c][i]) != known || (!known && !std::isnan(values[c][i])))
        complain(c, fmt::format("{} beside a kurtosis of {}", values[c][i], kurtosis[i]));
    if (!known) continue;
    // Two inequalities of Cauchy and Schwarz: a_2^2 <= a_4 and a_3^2 <= a_2 a_4.
    if (kurtosis[i] < 1 - rounding) complain(0, fmt::format("{} is below 1", kurtosis[i]));
    if (skewness[i] < 0 || skewness[i] * skewness[i] > kurtosis[i] * (1 + rounding))
      complain(1, fmt::format("{} does not go with a kurtosis of {}", skewness[i], kurtosis[i]));
    if (!(mean[i] >= 1 - rounding && mean[i] <= 3)) complain(2, fmt::format("{} is not in 1..3", mean[i]));
    if (spread[i] < 0) complain(3, fmt::format("{} is negative", spread[i]));
    if (size[i] < 0) complain(4, fmt::format("{} is negative", size[i]));
  }
}

}  // namespace stemma
