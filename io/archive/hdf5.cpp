// How are files, groups and types of HDF5 opened, made and closed?
#include "io/archive/hdf5.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "io/archive/hdf5_private.hpp"
#include "io/archive/storage_error.hpp"

namespace stemma::h5 {
namespace {

struct Stack {
  std::string text;
  int error_number = 0;
};

// Innermost first: the last descriptions name the cause, "errno = 28" the system's word for it.
herr_t collect(unsigned, const H5E_error2_t* entry, void* data) {
  auto& stack = *static_cast<Stack*>(data);
  const std::string_view text = entry->desc == nullptr ? "" : entry->desc;
  if (text.empty()) return 0;
  if (const auto at = text.find("errno = "); at != std::string_view::npos && stack.error_number == 0)
    stack.error_number = std::atoi(text.data() + at + 8);
  if (stack.text.size() < 200) stack.text += (stack.text.empty() ? "" : ": ") + std::string(text);
  return 0;
}

Handle access_properties() {
  quiet();
  Handle list(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fclose_degree(list.id(), H5F_CLOSE_STRONG);
  H5Pset_libver_bounds(list.id(), H5F_LIBVER_V18, H5F_LIBVER_V110);
  // Lustre without flock fails the lock; names are unique and published files read-only, so nobody needs it.
  H5Pset_file_locking(list.id(), false, true);
  return list;
}

constexpr unsigned ordered = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

}  // namespace

void quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void fail(const std::string& file, const std::string& object, const char* operation) {
  Stack stack;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &stack);
  H5Eclear2(H5E_DEFAULT);
  throw StorageError(file, object, operation, stack.error_number, stack.text);
}

std::string_view name_of(Type type) {
  constexpr std::array<std::string_view, 10> names = {"u1", "u2", "u4", "u8", "i1",
                                                      "i4", "i8", "f4", "f8", "str"};
  return names.at(static_cast<std::size_t>(type));
}

std::size_t size_of(Type type) {
  constexpr std::array<std::size_t, 10> sizes = {1, 2, 4, 8, 1, 4, 8, 4, 8, 0};
  return sizes.at(static_cast<std::size_t>(type));
}

Handle::~Handle() {
  if (id_ >= 0 && H5Idec_ref(id_) < 0) H5Eclear2(H5E_DEFAULT);
}

Handle disk_type(Type type) {
  if (type == Type::str) {
    Handle text(H5Tcopy(H5T_C_S1));
    H5Tset_size(text.id(), H5T_VARIABLE);
    H5Tset_cset(text.id(), H5T_CSET_UTF8);
    return text;
  }
  const std::array<hid_t, 9> types = {H5T_STD_U8LE,  H5T_STD_U16LE,  H5T_STD_U32LE,
                                      H5T_STD_U64LE, H5T_STD_I8LE,   H5T_STD_I32LE,
                                      H5T_STD_I64LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE};
  return Handle(H5Tcopy(types.at(static_cast<std::size_t>(type))));
}

std::optional<Type> type_of(hid_t type) {
  if (H5Tget_class(type) == H5T_STRING)
    return H5Tis_variable_str(type) > 0 && H5Tget_cset(type) == H5T_CSET_UTF8 ? std::optional(Type::str)
                                                                              : std::nullopt;
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(Type::str); ++i)
    if (H5Tequal(type, disk_type(static_cast<Type>(i)).id()) > 0) return static_cast<Type>(i);
  return std::nullopt;
}

File File::create(const std::string& path) {
  const Handle access = access_properties();
  auto errors = std::make_shared<WriteErrors>();
  use_steady_driver(access.id(), *errors);
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_link_creation_order(creation.id(), ordered);
  H5Pset_attr_creation_order(creation.id(), ordered);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id());
  if (file < 0 && errors->open != 0) {
    H5Eclear2(H5E_DEFAULT);
    throw StorageError(path, "", "create", errors->open);
  }
  return {path, errors, Handle(checked(file, path, "", "create"))};
}

File File::open(const std::string& path) {
  const Handle access = access_properties();
  return {path, std::make_shared<WriteErrors>(),
          Handle(checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), path, "", "open"))};
}

File File::open_for_writing(const std::string& path) {
  const Handle access = access_properties();
  return {path, std::make_shared<WriteErrors>(),
          Handle(checked(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.id()), path, "", "open"))};
}

Group File::create_group(const std::string& path) {
  const Handle creation(H5Pcreate(H5P_GROUP_CREATE));
  H5Pset_link_creation_order(creation.id(), ordered);
  H5Pset_attr_creation_order(creation.id(), ordered);
  return {path_, path, errors_,
          Handle(checked(H5Gcreate2(handle_.id(), path.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
                         path_, path, "create"))};
}

Dataset File::create_dataset(const std::string& path, Type type, const DatasetShape& shape) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_attr_creation_order(creation.id(), ordered);
  if (type == Type::f8) {
    const double absent = std::numeric_limits<double>::quiet_NaN();
    H5Pset_fill_value(creation.id(), H5T_NATIVE_DOUBLE, &absent);
  }
  if (!shape.chunk.empty()) {
    const std::vector<hsize_t> chunk(shape.chunk.begin(), shape.chunk.end());
    H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 4);
  }
  const std::vector<hsize_t> now(shape.extents.begin(), shape.extents.end());
  std::vector<hsize_t> most(shape.maximum.begin(), shape.maximum.end());
  for (hsize_t& m : most)
    if (m == unlimited) m = H5S_UNLIMITED;
  const Handle space(now.empty() ? H5Screate(H5S_SCALAR)
                                 : H5Screate_simple(static_cast<int>(now.size()), now.data(),
                                                    most.empty() ? nullptr : most.data()));
  return {path_, path, errors_,
          Handle(checked(H5Dcreate2(handle_.id(), path.c_str(), disk_type(type).id(), space.id(), H5P_DEFAULT,
                                    creation.id(), H5P_DEFAULT),
                         path_, path, "create"))};
}

bool File::has(const std::string& path) const {
  if (path.empty() || path == "/") return true;
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    if (H5Lexists(handle_.id(), path.substr(0, at).c_str(), H5P_DEFAULT) <= 0) {
      H5Eclear2(H5E_DEFAULT);
      return false;
    }
    if (at == std::string::npos) return true;
  }
}

Group File::group(const std::string& path) const {
  const std::string name = path.empty() ? "/" : path;
  return {path_, path, errors_,
          Handle(checked(H5Gopen2(handle_.id(), name.c_str(), H5P_DEFAULT), path_, path, "open"))};
}

Dataset File::dataset(const std::string& path) const {
  return {path_, path, errors_,
          Handle(checked(H5Dopen2(handle_.id(), path.c_str(), H5P_DEFAULT), path_, path, "open"))};
}

bool File::is_dataset(const std::string& path) const {
  const Handle object(H5Oopen(handle_.id(), path.c_str(), H5P_DEFAULT));
  const bool yes = object.id() >= 0 && H5Iget_type(object.id()) == H5I_DATASET;
  H5Eclear2(H5E_DEFAULT);
  return yes;
}

void File::remove(const std::string& path) {
  checked(H5Ldelete(handle_.id(), path.c_str(), H5P_DEFAULT), path_, path, "remove");
}

void File::check_written() const {
  if (errors_->first != 0) throw StorageError(path_, "", "write", errors_->first);
}

void File::flush() {
  const herr_t result = H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL);
  check_written();
  checked(result, path_, "", "write");
}

void File::close() {
  const herr_t result = H5Idec_ref(handle_.release());
  check_written();
  checked(result, path_, "", "close");
}

}  // namespace stemma::h5
