// Does the file have the groups, columns, types, dimensions and attributes of the layout?
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/archive/validator_checks.hpp"

namespace stemma {
namespace {

using layout::Column;
using layout::Dimension;
using layout::Group;

void need_text(const h5::Object& object, const char* attribute, const std::string& where,
               ComplaintList& complaints) {
  if (!object.text(attribute))
    complaints.add("attribute", fmt::format("{}@{}", where, attribute), "the text attribute is missing");
}

void check_attributes(const h5::Dataset& dataset, const Column& column, const std::string& path,
                      ComplaintList& complaints) {
  need_text(dataset, "long_name", path, complaints);
  if (column.type != h5::Type::str) need_text(dataset, "units", path, complaints);
  if (column.sentinel && !dataset.integers("sentinel"))
    complaints.add("attribute", path + "@sentinel", "the attribute is missing");
  if (!column.counts.empty() && dataset.text("sample_dimension") != column.counts)
    complaints.add("attribute", path + "@sample_dimension", fmt::format("it must name {}", column.counts));
  if (!column.flags.empty()) {
    std::vector<std::uint64_t> expected;
    for (const auto& [value, meaning] : layout::flag_table(column.flags).values) expected.push_back(value);
    const auto found = dataset.integers("flag_values");
    // A younger minor version may know more values.
    if (!found || found->size() < expected.size())
      complaints.add("attribute", path + "@flag_values",
                     fmt::format("the values of {} are missing", column.flags));
    need_text(dataset, "flag_meanings", path, complaints);
  }
}

void check_column(const h5::File& file, const Group& group, const Column& column, ComplaintList& complaints) {
  const std::string path = layout::path_in(group, column.name);
  if (!file.has(path) || !file.is_dataset(path))
    return complaints.add("missing", path, "there is no such dataset");
  const h5::Dataset dataset = file.dataset(path);
  if (dataset.type() != column.type)
    complaints.add("type", path, fmt::format("its type is not {}", h5::name_of(column.type)));
  check_attributes(dataset, column, path, complaints);
  const h5::Extents extents = dataset.extents();
  if (extents.size() != column.dims.size())
    return complaints.add("dimensions", path,
                          fmt::format("it has {} dimensions, not {}", extents.size(), column.dims.size()));
  for (unsigned axis = 0; axis < extents.size(); ++axis) {
    const auto placed = layout::find_dimension(group, column.dims[axis]);
    const std::string scale = dataset.scale_of(axis);
    if (scale != placed.path)
      complaints.add("scale", path,
                     fmt::format("axis {} has {}, not {}", axis, scale.empty() ? "no single scale" : scale,
                                 placed.path));
    if (!file.has(placed.path)) continue;
    const h5::Extents length = file.dataset(placed.path).extents();
    if (length.size() != 1 || length.front() != extents[axis])
      complaints.add("dimensions", path,
                     fmt::format("axis {} has {} rows, its scale {} [{}]", axis, extents[axis], placed.path,
                                 fmt::join(length, ", ")));
  }
}

void check_dimension(const h5::File& file, const Group& group, const Dimension& d,
                     ComplaintList& complaints) {
  const std::string path = layout::path_in(group, d.name);
  if (!file.has(path) || !file.is_dataset(path))
    return complaints.add("missing", path, "there is no such scale");
  const h5::Dataset scale = file.dataset(path);
  if (!scale.is_scale()) complaints.add("scale", path, "it is no dimension scale");
  const h5::Extents extents = scale.extents();
  if (extents.size() != 1)
    complaints.add("dimensions", path, "a scale has one dimension");
  else if (!d.grows() && extents.front() != d.extent)
    complaints.add("dimensions", path, fmt::format("it has {} entries, not {}", extents.front(), d.extent));
}

void check_group(const h5::File& file, const Group& group, ComplaintList& complaints) {
  const std::string path = "/" + group.path;
  if (!group.path.empty() && (!file.has(group.path) || file.is_dataset(group.path)))
    return complaints.add("missing", path, "there is no such group");
  const h5::Group found = file.group(group.path);
  if (found.text("encoding_type") != group.encoding_type)
    complaints.add("attribute", path + "@encoding_type", fmt::format("it must be {}", group.encoding_type));
  need_text(found, "encoding_version", path, complaints);
  if (group.of_method()) {
    need_text(found, "paper", path, complaints);
    need_text(found, "parameters_json", path, complaints);
  }
}

// Groups that this version does not know are allowed, forbidden types are not, wherever they are.
void check_types_below(const h5::File& file, const std::string& path, int depth, ComplaintList& complaints) {
  const auto check_object = [&](const h5::Object& object, const std::string& where) {
    for (const std::string& name : object.attributes()) {
      if (name == "_FillValue" || name == "missing_value")
        complaints.add("fill_value", where + "@" + name,
                       "such an attribute turns integers into reals in readers");
      if (name != "DIMENSION_LIST" && name != "REFERENCE_LIST" && !object.plain_attribute(name))
        complaints.add("forbidden_type", where + "@" + name, "only integers, reals and text are allowed");
    }
  };
  complaints.attempt("/" + path, [&] {
    if (!path.empty() && file.is_dataset(path)) {
      const h5::Dataset dataset = file.dataset(path);
      check_object(dataset, path);
      const auto type = dataset.type();
      if (!type)
        complaints.add("forbidden_type", path, "only integers, reals and variable-length UTF-8 are allowed");
      if (type == h5::Type::str && dataset.extents().size() > 1)
        complaints.add("forbidden_type", path, "text stands in one-dimensional columns only");
      return;
    }
    const h5::Group group = file.group(path);
    check_object(group, "/" + path);
    if (depth == 0) return complaints.add("depth", "/" + path, "groups are nested too deeply");
    for (const std::string& name : group.members())
      check_types_below(file, path.empty() ? name : path + "/" + name, depth - 1, complaints);
  });
}

}  // namespace

void check_structure(const h5::File& file, ComplaintList& complaints) {
  for (const Group& group : layout::groups()) {
    complaints.attempt("/" + group.path, [&] { check_group(file, group, complaints); });
    for (const Dimension& d : group.dimensions)
      complaints.attempt(layout::path_in(group, d.name),
                         [&] { check_dimension(file, group, d, complaints); });
    for (const Column& column : group.columns)
      complaints.attempt(layout::path_in(group, column.name),
                         [&] { check_column(file, group, column, complaints); });
  }
  check_types_below(file, "", 8, complaints);
}

}  // namespace stemma
