// How does the table of the layout become groups, columns and scales?
#include "io/archive/table_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace stemma {
namespace {

using layout::Column;
using layout::Dimension;
using layout::Group;
using layout::Scale;

h5::Type type_of_scale(const Dimension& d) {
  switch (d.scale) {
    case Scale::labels:
    case Scale::found_labels:
      return h5::Type::str;
    case Scale::values:
      return h5::Type::f8;
    case Scale::numbers:
    case Scale::bare:
      return h5::Type::u4;
  }
  throw std::logic_error("a scale of no kind");
}

// Bytes that one element takes in a chunk; text is a reference of 16 bytes.
std::uint64_t stored_bytes(h5::Type type) { return type == h5::Type::str ? 16 : h5::size_of(type); }

void describe(h5::Dataset& dataset, const Column& column) {
  dataset.set_text("long_name", column.long_name);
  if (column.type != h5::Type::str) dataset.set_text("units", column.units);
  if (column.sentinel) dataset.set_integer("sentinel", column.type, ~std::uint64_t{0});
  if (!column.refers.empty()) dataset.set_text("index_into", column.refers);
  if (!column.counts.empty()) dataset.set_text("sample_dimension", column.counts);
  if (!column.flags.empty()) {
    std::vector<std::uint64_t> values;
    std::string meanings;
    for (const auto& [value, meaning] : layout::flag_table(column.flags).values) {
      values.push_back(value);
      meanings += (meanings.empty() ? "" : " ") + meaning;
    }
    dataset.set_integers("flag_values", h5::Type::u1, values);
    dataset.set_text("flag_meanings", meanings);
  }
}

}  // namespace

TableWriter::TableWriter(const std::string& path, const ArchiveChunks& chunks)
    : chunks_(chunks), file_(h5::File::create(path)) {
  for (const Group& group : layout::groups()) create_group(group);
}

void TableWriter::create_group(const Group& group) {
  h5::Group made = group.path.empty() ? file_.group("") : file_.create_group(group.path);
  made.set_text("encoding_type", group.encoding_type);
  made.set_text("encoding_version", "1.0");
  made.set_text("long_name", group.summary);
  if (group.of_method()) {
    made.set_text("paper", "");
    made.set_integer("version", h5::Type::u4, 0);
    made.set_text("parameters_json", "{}");
  }
  for (const Dimension& dimension : group.dimensions) create_dimension(group, dimension);
  for (const Column& column : group.columns) create_column(group, column);
}

void TableWriter::create_dimension(const Group& group, const Dimension& dimension) {
  const h5::Type type = type_of_scale(dimension);
  const std::uint64_t maximum = dimension.grows() ? h5::unlimited : dimension.extent;
  const std::uint64_t chunk = dimension.grows()
                                  ? std::max<std::uint64_t>(1, chunks_.table_bytes / stored_bytes(type))
                                  : dimension.extent;
  h5::Dataset scale =
      file_.create_dataset(layout::path_in(group, dimension.name), type,
                           {.extents = {dimension.extent}, .maximum = {maximum}, .chunk = {chunk}});
  scale.set_text("long_name", dimension.long_name);
  if (type != h5::Type::str) scale.set_text("units", "1");
}

void TableWriter::create_column(const Group& group, const Column& column) {
  const std::string path = layout::path_in(group, column.name);
  if (column.dims.empty()) {
    h5::Dataset scalar = file_.create_dataset(path, column.type, {});
    describe(scalar, column);
    return;
  }
  h5::DatasetShape shape;
  std::uint64_t width = 1;
  std::uint64_t chunk_width = 1;
  for (const std::string& name : column.dims) {
    const Dimension& d = *layout::find_dimension(group, name).dimension;
    shape.extents.push_back(d.extent);
    shape.maximum.push_back(d.grows() ? h5::unlimited : d.extent);
    if (&name == &column.dims.front()) continue;
    width = d.extent;
    chunk_width = d.grows() ? 8 : d.extent;
  }
  const bool payload = layout::find_dimension(group, column.dims.front()).dimension->scale == Scale::bare;
  const std::size_t bytes = payload ? chunks_.payload_bytes : chunks_.table_bytes;
  const std::uint64_t rows = std::max<std::uint64_t>(1, bytes / (stored_bytes(column.type) * chunk_width));
  shape.chunk = {rows};
  if (column.dims.size() == 2) shape.chunk.push_back(chunk_width);
  h5::Dataset dataset = file_.create_dataset(path, column.type, shape);
  describe(dataset, column);
  columns_.emplace(path, ColumnWriter(std::move(dataset), column.type, width, column.dims.size() == 2, rows));
}

ColumnWriter& TableWriter::at(std::string_view column) {
  const auto found = columns_.find(column);
  if (found == columns_.end()) throw std::logic_error(fmt::format("{} is no column of archives", column));
  return found->second;
}

void TableWriter::put_scalar(const std::string& path, std::string_view text) {
  file_.dataset(path).write_scalar(archive_text(text));
}

std::size_t TableWriter::label(const std::string& dimension, std::string_view column,
                               const std::string& name) {
  std::vector<std::string>& names = found_labels_[dimension];
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  at(column).widen(names.size());
  return names.size() - 1;
}

std::size_t TableWriter::labels(const std::string& dimension) const {
  const auto found = found_labels_.find(dimension);
  return found == found_labels_.end() ? 0 : found->second.size();
}

void TableWriter::finish_dimension(const std::string& path, const Dimension& dimension,
                                   std::uint64_t extent) {
  h5::Dataset scale = file_.dataset(path);
  if (dimension.grows()) scale.extend({extent});
  std::string name = dimension.name;
  switch (dimension.scale) {
    case Scale::labels:
      scale.write_text(0, dimension.labels);
      break;
    case Scale::found_labels:
      if (extent > 0) scale.write_text(0, found_labels_[path]);
      break;
    case Scale::values:
      scale.write(h5::Type::f8, {0}, {extent}, std::as_bytes(std::span(dimension.values)));
      break;
    case Scale::numbers: {
      std::vector<std::uint32_t> block;
      for (std::uint64_t at = 0; at < extent; at += block.size()) {
        block.resize(std::min<std::uint64_t>(extent - at, 65536));
        std::iota(block.begin(), block.end(), static_cast<std::uint32_t>(at));
        scale.write(h5::Type::u4, {at}, {block.size()}, std::as_bytes(std::span(block)));
      }
      break;
    }
    // The spelling by which netCDF knows a dimension that has no variable of its own.
    case Scale::bare:
      name = fmt::format("This is a netCDF dimension but not a netCDF variable.{:10}", extent);
      break;
  }
  scale.make_scale(name);
}

void TableWriter::finish() {
  for (auto& [path, column] : columns_) column.flush();

  std::map<std::string, std::uint64_t> extents;  // by path of the dimension
  for (const Group& group : layout::groups())
    for (const Column& column : group.columns) {
      if (column.dims.empty()) continue;
      const auto placed = layout::find_dimension(group, column.dims.front());
      const std::uint64_t rows = columns_.at(layout::path_in(group, column.name)).rows();
      const auto [known, first] = extents.emplace(placed.path, rows);
      if (known->second != rows)
        throw std::logic_error(fmt::format("{}/{} has {} rows, other columns of {} have {}", group.path,
                                           column.name, rows, placed.path, known->second));
    }
  for (const auto& [path, names] : found_labels_) extents[path] = names.size();

  for (const Group& group : layout::groups())
    for (const Dimension& d : group.dimensions) {
      const std::string path = layout::path_in(group, d.name);
      finish_dimension(path, d, d.grows() ? extents[path] : d.extent);
    }
  for (const Group& group : layout::groups())
    for (const Column& column : group.columns) {
      h5::Dataset dataset = file_.dataset(layout::path_in(group, column.name));
      for (unsigned axis = 0; axis < column.dims.size(); ++axis)
        dataset.attach_scale(axis, file_.dataset(layout::find_dimension(group, column.dims[axis]).path));
    }
}

}  // namespace stemma
