// How are attributes written and read?
#include <array>

#include "io/archive/hdf5_private.hpp"
#include "io/archive/storage_error.hpp"

namespace stemma::h5 {
namespace {

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* data) {
  static_cast<std::vector<std::string>*>(data)->emplace_back(name);
  return 0;
}

herr_t collect_link(hid_t, const char* name, const H5L_info_t*, void* data) {
  static_cast<std::vector<std::string>*>(data)->emplace_back(name);
  return 0;
}

void write_attribute(hid_t object, const std::string& file, const std::string& path, const std::string& name,
                     hid_t type, std::size_t count, bool scalar, const void* values) {
  const std::string where = path + "@" + name;
  const hsize_t extent = count;
  const Handle space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nullptr));
  if (H5Aexists(object, name.c_str()) > 0) checked(H5Adelete(object, name.c_str()), file, where, "replace");
  const Handle attribute(checked(H5Acreate2(object, name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                                 file, where, "create"));
  checked(H5Awrite(attribute.id(), type, values), file, where, "write");
}

// An attribute opened with its type and number of elements; nothing when there is none.
struct OpenAttribute {
  Handle attribute;
  Handle type;
  std::size_t elements = 0;
};

std::optional<OpenAttribute> open_attribute(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return std::nullopt;
  OpenAttribute a;
  a.attribute = Handle(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  a.type = Handle(H5Aget_type(a.attribute.id()));
  const Handle space(H5Aget_space(a.attribute.id()));
  const hssize_t n = H5Sget_simple_extent_npoints(space.id());
  if (n < 0 || n > 100'000) return std::nullopt;
  a.elements = static_cast<std::size_t>(n);
  return a;
}

}  // namespace

void Object::check_written() const {
  if (errors_->first != 0) throw StorageError(file_, path_, "write", errors_->first);
}

void Object::set_text(const std::string& name, std::string_view text) {
  const std::string terminated(text);
  const char* pointer = terminated.c_str();
  write_attribute(handle_.id(), file_, path_, name, disk_type(Type::str).id(), 1, true, &pointer);
}

void Object::set_integers(const std::string& name, Type type, std::span<const std::uint64_t> values) {
  // Little-endian: the first bytes of a u8 are the narrower number.
  const std::size_t width = size_of(type);
  std::vector<std::byte> bytes;
  for (const std::uint64_t& value : values) {
    const auto whole = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(width));
  }
  write_attribute(handle_.id(), file_, path_, name, disk_type(type).id(), values.size(), values.size() == 1,
                  bytes.data());
}

void Object::set_real(const std::string& name, double value) {
  write_attribute(handle_.id(), file_, path_, name, disk_type(Type::f8).id(), 1, true, &value);
}

std::vector<std::string> Object::attributes() const {
  std::vector<std::string> names;
  checked(H5Aiterate2(handle_.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute, &names), file_,
          path_, "list the attributes of");
  return names;
}

bool Object::has_attribute(const std::string& name) const {
  return H5Aexists(handle_.id(), name.c_str()) > 0;
}

std::optional<std::string> Object::text(const std::string& name) const {
  const auto a = open_attribute(handle_.id(), name);
  if (!a || a->elements != 1 || type_of(a->type.id()) != Type::str) return std::nullopt;
  char* value = nullptr;
  checked(H5Aread(a->attribute.id(), disk_type(Type::str).id(), &value), file_, path_ + "@" + name, "read");
  std::string text = value == nullptr ? "" : value;
  H5free_memory(value);
  return text;
}

std::optional<std::vector<std::uint64_t>> Object::integers(const std::string& name) const {
  const auto a = open_attribute(handle_.id(), name);
  if (!a || H5Tget_class(a->type.id()) != H5T_INTEGER) return std::nullopt;
  std::vector<std::uint64_t> values(a->elements);
  checked(H5Aread(a->attribute.id(), H5T_NATIVE_UINT64, values.data()), file_, path_ + "@" + name, "read");
  return values;
}

std::optional<double> Object::real(const std::string& name) const {
  const auto a = open_attribute(handle_.id(), name);
  if (!a || a->elements != 1 || H5Tget_class(a->type.id()) != H5T_FLOAT) return std::nullopt;
  double value = 0;
  checked(H5Aread(a->attribute.id(), H5T_NATIVE_DOUBLE, &value), file_, path_ + "@" + name, "read");
  return value;
}

bool Object::plain_attribute(const std::string& name) const {
  const auto a = open_attribute(handle_.id(), name);
  if (!a) return false;
  const H5T_class_t kind = H5Tget_class(a->type.id());
  return kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_STRING;
}

std::vector<std::string> Group::members() const {
  std::vector<std::string> names;
  hsize_t at = 0;
  if (H5Literate(handle_.id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, &at, collect_link, &names) < 0) {
    // A file of another program need not track the order.
    H5Eclear2(H5E_DEFAULT);
    names.clear();
    at = 0;
    checked(H5Literate(handle_.id(), H5_INDEX_NAME, H5_ITER_INC, &at, collect_link, &names), file_, path_,
            "list");
  }
  return names;
}

}  // namespace stemma::h5
