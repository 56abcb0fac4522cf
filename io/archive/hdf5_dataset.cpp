// How are columns and their dimension scales written and read?
#include <fmt/format.h>

#include "io/archive/hdf5_private.hpp"

namespace stemma::h5 {
namespace {

std::vector<hsize_t> native(const Extents& extents) { return {extents.begin(), extents.end()}; }

// Text comes back in memory that belongs to the library.
class Strings {
 public:
  explicit Strings(std::size_t n) : pointers_(n, nullptr) {}
  ~Strings() {
    for (char* p : pointers_) H5free_memory(p);
  }
  Strings(const Strings&) = delete;
  Strings& operator=(const Strings&) = delete;
  char** data() { return pointers_.data(); }
  std::vector<std::string> copy() const {
    std::vector<std::string> out;
    out.reserve(pointers_.size());
    for (const char* p : pointers_) out.emplace_back(p == nullptr ? "" : p);
    return out;
  }

 private:
  std::vector<char*> pointers_;
};

struct Selection {
  Handle file;
  Handle memory;
};

Selection select(hid_t dataset, const Extents& start, const Extents& count) {
  Selection s;
  s.file = Handle(H5Dget_space(dataset));
  const auto from = native(start);
  const auto size = native(count);
  s.memory = Handle(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr));
  if (H5Sget_simple_extent_ndims(s.file.id()) == static_cast<int>(size.size()))
    H5Sselect_hyperslab(s.file.id(), H5S_SELECT_SET, from.data(), nullptr, size.data(), nullptr);
  return s;
}

herr_t collect_scale(hid_t, unsigned, hid_t scale, void* data) {
  std::string path(static_cast<std::size_t>(std::max<ssize_t>(0, H5Iget_name(scale, nullptr, 0))), '\0');
  H5Iget_name(scale, path.data(), path.size() + 1);
  static_cast<std::vector<std::string>*>(data)->push_back(std::move(path));
  return 0;
}

}  // namespace

std::optional<Type> Dataset::type() const {
  const Handle found(checked(H5Dget_type(handle_.id()), file_, path_, "read the type of"));
  return type_of(found.id());
}

Extents Dataset::extents() const {
  const Handle space(checked(H5Dget_space(handle_.id()), file_, path_, "read the extents of"));
  std::vector<hsize_t> now(
      static_cast<std::size_t>(checked(H5Sget_simple_extent_ndims(space.id()), file_, path_, "measure")));
  H5Sget_simple_extent_dims(space.id(), now.data(), nullptr);
  return {now.begin(), now.end()};
}

void Dataset::extend(const Extents& extents) {
  const herr_t result = H5Dset_extent(handle_.id(), native(extents).data());
  check_written();
  checked(result, file_, path_, "extend");
}

void Dataset::write(Type type, const Extents& start, const Extents& count, std::span<const std::byte> bytes) {
  const Selection s = select(handle_.id(), start, count);
  const herr_t result =
      H5Dwrite(handle_.id(), disk_type(type).id(), s.memory.id(), s.file.id(), H5P_DEFAULT, bytes.data());
  check_written();
  checked(result, file_, path_, "write");
}

void Dataset::write_text(std::uint64_t start, std::span<const std::string> values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  const Selection s = select(handle_.id(), {start}, {values.size()});
  const herr_t result = H5Dwrite(handle_.id(), disk_type(Type::str).id(), s.memory.id(), s.file.id(),
                                 H5P_DEFAULT, pointers.data());
  check_written();
  checked(result, file_, path_, "write");
}

void Dataset::read(Type type, const Extents& start, const Extents& count, std::span<std::byte> bytes) const {
  if (bytes.empty()) return;
  const Selection s = select(handle_.id(), start, count);
  checked(H5Dread(handle_.id(), disk_type(type).id(), s.memory.id(), s.file.id(), H5P_DEFAULT, bytes.data()),
          file_, path_, "read");
}

std::vector<std::string> Dataset::read_text(std::uint64_t start, std::uint64_t count) const {
  if (count == 0) return {};
  Strings strings(count);
  const Selection s = select(handle_.id(), {start}, {count});
  checked(H5Dread(handle_.id(), disk_type(Type::str).id(), s.memory.id(), s.file.id(), H5P_DEFAULT,
                  strings.data()),
          file_, path_, "read");
  return strings.copy();
}

void Dataset::write_scalar(std::string_view text) {
  const std::string terminated(text);
  const char* pointer = terminated.c_str();
  const herr_t result =
      H5Dwrite(handle_.id(), disk_type(Type::str).id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &pointer);
  check_written();
  checked(result, file_, path_, "write");
}

std::string Dataset::read_scalar() const {
  Strings strings(1);
  checked(H5Dread(handle_.id(), disk_type(Type::str).id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, strings.data()),
          file_, path_, "read");
  return strings.copy().front();
}

void Dataset::make_scale(const std::string& name) {
  checked(H5DSset_scale(handle_.id(), name.c_str()), file_, path_, "make a scale of");
}

bool Dataset::is_scale() const { return H5DSis_scale(handle_.id()) > 0; }

void Dataset::attach_scale(unsigned axis, const Dataset& scale) {
  checked(H5DSattach_scale(handle_.id(), scale.handle_.id(), axis), file_, path_, "attach a scale to");
}

std::string Dataset::scale_of(unsigned axis) const {
  if (H5DSget_num_scales(handle_.id(), axis) != 1) return "";
  std::vector<std::string> paths;
  checked(H5DSiterate_scales(handle_.id(), axis, nullptr, collect_scale, &paths), file_, path_,
          "find the scale of");
  if (paths.size() != 1) return "";
  return paths.front().starts_with('/') ? paths.front().substr(1) : paths.front();
}

}  // namespace stemma::h5
