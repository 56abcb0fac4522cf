// Are the spectra of an archive descending, and do they agree with the norms of their tensors?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"

namespace stemma {
namespace {

constexpr double relative_gate = 1e-12;
// Squares below this have lost digits to gradual underflow.
constexpr double smallest_square = 1e-290;

double sum_of_squares(const std::vector<double>& values) {
  double sum = 0;
  double lost = 0;  // Neumaier's compensation
  for (const double s : values) {
    const double x = s * s;
    const double next = sum + x;
    lost += std::abs(sum) >= x ? (sum - next) + x : (x - next) + sum;
    sum = next;
  }
  return sum + lost;
}

bool descending(const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0) || !std::isfinite(values[i]) || (i > 0 && values[i] > values[i - 1])) return false;
  return true;
}

bool close(double a, double b) { return std::abs(a - b) <= relative_gate * std::abs(b); }

}  // namespace

void check_spectra(const h5::File& file, ComplaintList& complaints) {
  const TableReader table(file);
  const auto tensor = table.read<std::uint32_t>("spectra/tensor_index");
  const auto start = table.read<std::uint64_t>("spectra/row_start");
  const auto length = table.read<std::uint32_t>("spectra/row_count");
  const auto rows = table.read<std::uint64_t>("spectra/rows");
  const auto cols = table.read<std::uint64_t>("spectra/cols");
  const auto model = table.read<std::uint8_t>("spectra/error_model");
  const auto estimate = table.read<double>("spectra/e_estimate");
  const auto tau = table.read<double>("spectra/tau");
  const auto below = table.read<std::uint32_t>("spectra/count_below_tau");
  const std::uint64_t stored = table.rows("spectra/value");
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    if (i > 0 && tensor[i] <= tensor[i - 1])
      complaints.add("order", "spectra/tensor_index",
                     fmt::format("row {} is not after the row before it", i));
    if (table.one<std::uint64_t>("tensors/rows", tensor[i]) != rows[i] ||
        table.one<std::uint64_t>("tensors/cols", tensor[i]) != cols[i])
      complaints.add("spectrum", "spectra/rows",
                     fmt::format("spectrum {} has another shape than its tensor", i));
    if (length[i] != std::min(rows[i], cols[i]))
      complaints.add("spectrum", "spectra/row_count",
                     fmt::format("spectrum {} of {} x {} has {} values", i, rows[i], cols[i], length[i]));
    if (start[i] > stored || length[i] > stored - start[i]) continue;  // said by the ragged check
    const auto values = table.read<double>("spectra/value", start[i], length[i]);
    if (!descending(values)) {
      complaints.add("order", "spectra/value", fmt::format("values of spectrum {} do not descend to 0", i));
      continue;
    }
    const auto small = std::count_if(values.begin(), values.end(), [&](double s) { return s < tau[i]; });
    if (static_cast<std::uint64_t>(small) != below[i])
      complaints.add("spectrum", "spectra/count_below_tau",
                     fmt::format("spectrum {} has {} values below tau and says {}", i, small, below[i]));
    if (values.empty()) continue;
    const double largest = values.front() * values.front();
    const double expected =
        model[i] == 0 ? 16 * std::sqrt(static_cast<double>(length[i])) * 0x1p-53 * largest : 0;
    const bool in_range = largest >= smallest_square && std::isfinite(largest * length[i]);
    if (in_range && !close(estimate[i], expected))
      complaints.add("spectrum", "spectra/e_estimate",
                     fmt::format("spectrum {} says {:.17g}, its formula {:.17g}", i, estimate[i], expected));
    // The moments are those of the same elements; NaN where they were not measured.
    const double norm = table.one<double>("moments/frobenius_sq", tensor[i]);
    const double squares = sum_of_squares(values);
    if (in_range && std::isfinite(norm) && !close(squares, norm))
      complaints.add("spectrum", "spectra/value",
                     fmt::format("squares of spectrum {} add up to {:.17g}, those of its tensor to {:.17g}",
                                 i, squares, norm));
  }
}

}  // namespace stemma
