// Do the tables agree with each other?
#include <fmt/format.h>

#include <limits>

#include "io/archive/table_reader.hpp"
#include "io/archive/validator_checks.hpp"
#include "io/model/dtype.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t relation_block_rows = 65536;

void check_ids(const TableReader& table, ComplaintList& complaints) {
  const auto ids = table.text("models/id");
  for (std::size_t i = 1; i < ids.size(); ++i)
    if (ids[i] <= ids[i - 1])
      complaints.add(
          "order", "models/id",
          fmt::format("{} stands after {}: ids must ascend", printable(ids[i]), printable(ids[i - 1])));
}

// Rows that belong to models must lie where the model says.
void check_owner(const TableReader& table, const std::string& owner, const std::string& range,
                 ComplaintList& complaints) {
  const auto start = table.read<std::uint64_t>("models/" + range + "_start");
  const auto count = table.read<std::uint32_t>("models/" + range + "_count");
  const auto model = table.read<std::uint32_t>(owner);
  for (std::size_t m = 0; m < start.size(); ++m)
    for (std::uint64_t row = start[m]; row < start[m] + count[m] && row < model.size(); ++row)
      if (model[row] != m)
        return complaints.add(
            "owner", owner,
            fmt::format("row {} lies in the range of model {} but names {}", row, m, model[row]));
}

void check_pairs(const TableReader& table, ComplaintList& complaints) {
  const auto a = table.read<std::uint32_t>("pairs/model_a");
  const auto b = table.read<std::uint32_t>("pairs/model_b");
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] >= b[i])
      complaints.add("order", "pairs/model_a",
                     fmt::format("row {} pairs {} with {}: a comes first", i, a[i], b[i]));
    if (i > 0 && std::pair(a[i], b[i]) <= std::pair(a[i - 1], b[i - 1]))
      complaints.add("order", "pairs/model_a", fmt::format("row {} is not after the row before it", i));
  }
}

void check_duplicates(const TableReader& table, ComplaintList& complaints) {
  const auto duplicate_of = table.read<std::uint32_t>("tensors/duplicate_of");
  const auto high = table.read<std::uint64_t>("tensors/content_hash_hi");
  const auto low = table.read<std::uint64_t>("tensors/content_hash_lo");
  for (std::size_t i = 0; i < duplicate_of.size(); ++i) {
    const std::uint32_t first = duplicate_of[i];
    if (first >= duplicate_of.size()) continue;
    if (first >= i || high[first] != high[i] || low[first] != low[i])
      complaints.add(
          "duplicate", "tensors/duplicate_of",
          fmt::format("row {} names row {}, which is not an earlier row of the same hash", i, first));
  }
}

// Adds up what may not exceed 64 bits; all bits set when it does.
std::uint64_t sum_of(const std::vector<std::uint64_t>& values) {
  std::uint64_t sum = 0;
  for (const std::uint64_t v : values)
    if (__builtin_add_overflow(sum, v, &sum)) return none64;
  return sum;
}

void check_moments(const TableReader& table, ComplaintList& complaints) {
  const std::uint64_t rows = table.rows("tensors/rows");
  for (std::uint64_t at = 0; at < rows; at += relation_block_rows) {
    const std::uint64_t n = std::min(relation_block_rows, rows - at);
    const auto column = [&](const char* path) { return table.read<std::uint64_t>(path, at, n); };
    const auto height = column("tensors/rows");
    const auto width = column("tensors/cols");
    const auto counted = column("moments/n");
    const auto nan = column("moments/n_nan");
    const auto plus = column("moments/n_pos_inf");
    const auto minus = column("moments/n_neg_inf");
    const auto plus_zero = column("moments/n_pos_zero");
    const auto minus_zero = column("moments/n_neg_zero");
    const auto positive = column("moments/n_positive");
    const auto negative = column("moments/n_negative");
    const auto dtype = table.read<std::uint8_t>("tensors/dtype", at, n);
    for (std::uint64_t i = 0; i < n; ++i) {
      if (counted[i] == none64) continue;
      std::uint64_t elements = 0;
      if (__builtin_mul_overflow(height[i], width[i], &elements)) elements = none64;
      const std::uint64_t odd = sum_of({nan[i], plus[i], minus[i]});
      const std::uint64_t signs = sum_of({plus_zero[i], minus_zero[i], positive[i], negative[i]});
      if (counted[i] != elements || odd > elements) {
        complaints.add("count", "moments/n",
                       fmt::format("row {} counts {} of {} elements, {} of them not finite", at + i,
                                   counted[i], elements, odd));
        continue;
      }
      // Complex and packed elements have no sign of their own.
      const auto type = static_cast<Dtype>(dtype[i]);
      const bool signless = dtype[i] >= dtype_count || type == Dtype::c64 || bits_of(type) < 8;
      if (signs != elements - odd && !signless)
        complaints.add(
            "count", "moments/n_positive",
            fmt::format("row {} has {} signs and zeros for {} finite values", at + i, signs, elements - odd));
    }
  }
}

void check_histograms(const TableReader& table, ComplaintList& complaints) {
  const auto tensor = table.read<std::uint32_t>("histograms/tensor_index");
  const auto start = table.read<std::uint64_t>("histograms/row_start");
  const auto length = table.read<std::uint32_t>("histograms/row_count");
  const std::uint64_t bins = table.rows("histograms/code");
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    if (i > 0 && tensor[i] <= tensor[i - 1])
      complaints.add("order", "histograms/tensor_index",
                     fmt::format("row {} is not after the row before it", i));
    if (start[i] > bins || length[i] > bins - start[i]) continue;  // said by the ragged check
    const auto codes = table.read<std::uint16_t>("histograms/code", start[i], length[i]);
    for (std::size_t j = 1; j < codes.size(); ++j)
      if (codes[j] <= codes[j - 1]) {
        complaints.add("order", "histograms/code", fmt::format("codes of histogram {} do not ascend", i));
        break;
      }
    const std::uint64_t counted = sum_of(table.read<std::uint64_t>("histograms/count", start[i], length[i]));
    std::uint64_t elements = 0;
    if (__builtin_mul_overflow(table.one<std::uint64_t>("tensors/rows", tensor[i]),
                               table.one<std::uint64_t>("tensors/cols", tensor[i]), &elements))
      elements = none64;
    if (counted != elements)
      complaints.add("count", "histograms/count",
                     fmt::format("histogram {} counts {} of {} elements", i, counted, elements));
  }
}

/// A mean is not above its largest summand; scales that are no numbers make neither one.
void check_codes(const TableReader& table, ComplaintList& complaints) {
  const auto tensor = table.read<std::uint32_t>("codes/tensor_index");
  const auto largest = table.read<double>("codes/largest");
  const auto mean = table.read<double>("codes/root_mean_square");
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    if (i > 0 && tensor[i] <= tensor[i - 1])
      complaints.add("order", "codes/tensor_index", fmt::format("row {} is not after the row before it", i));
    constexpr double rounding = 1 + 1e-12;
    if (largest[i] < 0 || mean[i] < 0 || mean[i] > largest[i] * rounding)
      complaints.add(
          "codes", "codes/root_mean_square",
          fmt::format("row {} has half distances of {} in the mean and {} at most", i, mean[i], largest[i]));
  }
}

}  // namespace

void check_relations(const h5::File& file, ComplaintList& complaints) {
  const TableReader table(file);
  complaints.attempt("models/id", [&] { check_ids(table, complaints); });
  complaints.attempt("tensors/model_index",
                     [&] { check_owner(table, "tensors/model_index", "tensor", complaints); });
  complaints.attempt("layers/model_index",
                     [&] { check_owner(table, "layers/model_index", "layer", complaints); });
  complaints.attempt("pairs", [&] { check_pairs(table, complaints); });
  complaints.attempt("tensors/duplicate_of", [&] { check_duplicates(table, complaints); });
  complaints.attempt("moments", [&] { check_moments(table, complaints); });
  complaints.attempt("histograms", [&] { check_histograms(table, complaints); });
  complaints.attempt("codes", [&] { check_codes(table, complaints); });
}

}  // namespace stemma
