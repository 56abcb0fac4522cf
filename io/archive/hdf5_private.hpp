// What the files around hdf5.hpp share among themselves: the library's header and its errors.
#pragma once
#include <hdf5.h>
#include <hdf5_hl.h>

#include <string>

#include "io/archive/hdf5.hpp"

namespace stemma::h5 {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

/// Throws StorageError made of the error stack.
[[noreturn]] void fail(const std::string& file, const std::string& object, const char* operation);

/// Makes files opened with these properties remember failed writes instead of failing; `errors` must outlive
/// them.
void use_steady_driver(hid_t access, WriteErrors& errors);

/// Silences the library; before every first call.
void quiet();

/// The result of a call, or StorageError when it is negative.
template <class Result>
Result checked(Result result, const std::string& file, const std::string& object, const char* operation) {
  if (result < 0) fail(file, object, operation);
  return result;
}

/// Type on disk (= in memory: little-endian hosts only).
Handle disk_type(Type type);
/// The type of ours that equals an HDF5 type, nothing when there is none.
std::optional<Type> type_of(hid_t type);

}  // namespace stemma::h5
