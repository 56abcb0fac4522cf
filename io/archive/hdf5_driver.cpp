// How do we write through HDF5 to a disk that may fill up?
//
// HDF5 1.10 does not survive a failed write: closing fails, its tables keep a dead file, and the process ends
// in a segmentation fault at exit or at the next file. This driver therefore tells the library that every
// write went well, keeps the first errno for us, and we throw after the call that caused it. The file is lost
// either way; the process and its sentence are not.
#include "io/archive/hdf5_private.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace stemma::h5 {
namespace {

struct Info {
  WriteErrors* errors;
};

struct OpenFile {
  H5FD_t shared;  // first: the library sees no more than this
  int file;
  haddr_t allocated;
  haddr_t end;
  WriteErrors* errors;
};

OpenFile* ours(H5FD_t* file) { return reinterpret_cast<OpenFile*>(file); }
const OpenFile* ours(const H5FD_t* file) { return reinterpret_cast<const OpenFile*>(file); }

void note(OpenFile* f, int error) {
  if (f->errors->first == 0) f->errors->first = error;
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t) {
  const auto* info = static_cast<const Info*>(H5Pget_driver_info(access));
  if (info == nullptr) return nullptr;
  int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  if ((flags & H5F_ACC_TRUNC) != 0) mode |= O_TRUNC;
  if ((flags & H5F_ACC_CREAT) != 0) mode |= O_CREAT;
  if ((flags & H5F_ACC_EXCL) != 0) mode |= O_EXCL;
  const int file = ::open(name, mode | O_CLOEXEC, 0644);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0) {
    // The library first tries to open what it may then create: only its last try counts.
    info->errors->open = errno;
    if (file >= 0) ::close(file);
    return nullptr;
  }
  auto f = std::make_unique<OpenFile>();
  f->file = file;
  f->end = static_cast<haddr_t>(status.st_size);
  f->errors = info->errors;
  return &f.release()->shared;
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<OpenFile> f(ours(file));
  if (::close(f->file) != 0) note(f.get(), errno);
  return 0;
}

int compare(const H5FD_t* a, const H5FD_t* b) {
  struct stat x = {};
  struct stat y = {};
  fstat(ours(a)->file, &x);
  fstat(ours(b)->file, &y);
  if (x.st_dev != y.st_dev) return x.st_dev < y.st_dev ? -1 : 1;
  if (x.st_ino != y.st_ino) return x.st_ino < y.st_ino ? -1 : 1;
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t allocated(const H5FD_t* file, H5FD_mem_t) { return ours(file)->allocated; }

herr_t allocate(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  ours(file)->allocated = address;
  return 0;
}

haddr_t end_of(const H5FD_t* file, H5FD_mem_t) { return ours(file)->end; }

// What lies beyond the end, or was lost, reads as zeros.
herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size, void* out) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t n = pread(ours(file)->file, at, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) note(ours(file), errno);
    if (n <= 0) break;
    at += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  std::memset(at, 0, size);
  return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size, const void* bytes) {
  OpenFile* f = ours(file);
  f->end = std::max(f->end, address + size);
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0 && f->errors->first == 0) {
    const ssize_t n = pwrite(f->file, at, size, static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      note(f, n == 0 ? EIO : errno);
      break;
    }
    at += n;
    address += static_cast<haddr_t>(n);
    size -= static_cast<size_t>(n);
  }
  return 0;
}

herr_t truncate_file(H5FD_t* file, hid_t, hbool_t) {
  OpenFile* f = ours(file);
  if (f->allocated != f->end && ftruncate(f->file, static_cast<off_t>(f->allocated)) != 0) note(f, errno);
  f->end = f->allocated;
  return 0;
}

hid_t driver() {
  static const H5FD_class_t description = [] {
    H5FD_class_t c = {};
    c.name = "stemma";
    c.maxaddr = HADDR_MAX;
    c.fc_degree = H5F_CLOSE_STRONG;
    c.fapl_size = sizeof(Info);
    c.open = open_file;
    c.close = close_file;
    c.cmp = compare;
    c.query = query;
    c.get_eoa = allocated;
    c.set_eoa = allocate;
    c.get_eof = end_of;
    c.read = read_bytes;
    c.write = write_bytes;
    c.truncate = truncate_file;
    constexpr H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
    std::ranges::copy(map, c.fl_map);
    return c;
  }();
  static const hid_t id = H5FDregister(&description);
  return id;
}

}  // namespace

void use_steady_driver(hid_t access, WriteErrors& errors) {
  const Info info{&errors};
  H5Pset_driver(access, driver(), &info);
}

}  // namespace stemma::h5
