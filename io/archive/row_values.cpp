// Rows are read in the ranges in which they lie, references are counted from the model's own first row.
#include "io/archive/row_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace stemma {
namespace {

/// Columns of the second axis by ascending label; labels without a number are left out.
void order_labels(RowValues& values, const std::vector<std::string>& labels) {
  std::vector<double> numbers(values.bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), values.bytes.data(), values.bytes.size());
  const std::uint64_t rows = values.rows();
  std::vector<std::size_t> kept;
  for (std::size_t j = 0; j < labels.size(); ++j)
    for (std::uint64_t row = 0; row < rows; ++row)
      if (!std::isnan(numbers[row * values.width + j])) {
        kept.push_back(j);
        break;
      }
  std::ranges::sort(kept, {}, [&](std::size_t j) { return labels[j]; });
  std::vector<double> ordered;
  for (std::uint64_t row = 0; row < rows; ++row)
    for (const std::size_t j : kept) ordered.push_back(numbers[row * values.width + j]);
  for (const std::size_t j : kept) values.labels.push_back(labels[j]);
  values.width = kept.size();
  values.bytes.resize(ordered.size() * sizeof(double));
  std::memcpy(values.bytes.data(), ordered.data(), values.bytes.size());
}

/// References of all rows count from `first`.
void shift(RowValues& values, std::uint64_t first) {
  for (std::size_t at = 0; at < values.bytes.size(); at += sizeof(std::uint32_t)) {
    std::uint32_t index = 0;
    std::memcpy(&index, values.bytes.data() + at, sizeof index);
    if (index != no_row) index -= static_cast<std::uint32_t>(first);
    std::memcpy(values.bytes.data() + at, &index, sizeof index);
  }
}

}  // namespace

std::uint64_t RowValues::rows() const {
  if (type == h5::Type::str) return texts.size();
  return width == 0 ? 0 : bytes.size() / (h5::size_of(type) * width);
}

bool has_content(const layout::Column& column) {
  return column.starts.empty() && !column.owner && !column.derived && column.refers != "model" &&
         column.refers != "run";
}

RowValues values_of(const SourceRows& source, const layout::PlacedColumn& column,
                    const std::vector<RowRange>& rows, std::uint64_t model) {
  const layout::Column& declared = *column.column;
  RowValues values;
  values.type = declared.type;
  const std::string path = column.path();
  for (const RowRange& range : rows) {
    if (declared.type == h5::Type::str) {
      std::ranges::move(source.table().text(path, range.first, range.count),
                        std::back_inserter(values.texts));
      continue;
    }
    const auto bytes = source.table().read_bytes(path, declared.type, range.first, range.count);
    values.bytes.insert(values.bytes.end(), bytes.begin(), bytes.end());
  }
  if (declared.dims.size() == 2) values.width = source.table().width(path);
  if (!declared.refers.empty() && has_content(declared)) {
    const auto own = source.of_model(layout::row_kind(layout::path_of_referred(declared)), model);
    shift(values, own.empty() ? 0 : own.front().first);
  }
  if (declared.dims.size() == 2) {
    const auto axis = layout::find_dimension(*column.group, declared.dims[1]);
    if (axis.dimension->scale == layout::Scale::found_labels)
      order_labels(values, source.table().text(axis.path));
  }
  return values;
}

RowValues values_of_model(const SourceRows& source, const layout::RowKind& kind,
                          const layout::PlacedColumn& column, std::uint64_t model) {
  return values_of(source, column, source.of_model(kind, model), model);
}

}  // namespace stemma
