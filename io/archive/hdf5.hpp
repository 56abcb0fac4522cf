// How do we speak to the HDF5 library without its header, its handles or its error stack?
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stemma::h5 {

/// Element types that archives use: width in bytes, little-endian; str is variable-length UTF-8.
enum class Type : std::uint8_t { u1, u2, u4, u8, i1, i4, i8, f4, f8, str };
std::string_view name_of(Type type);
/// Bytes of one element in our buffers; 0 for str.
std::size_t size_of(Type type);

using Extents = std::vector<std::uint64_t>;
inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};

/// Owns one HDF5 identifier of any kind.
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::int64_t id) : id_(id) {}
  ~Handle();
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  std::int64_t id() const { return id_; }
  std::int64_t release() { return std::exchange(id_, -1); }

 private:
  std::int64_t id_ = -1;
};

/// What the disk refused while a file was written, as errno; 0 for nothing.
struct WriteErrors {
  int first = 0;
  int open = 0;
};

/// A group or dataset: something that carries attributes. Everything throws StorageError.
class Object {
 public:
  const std::string& path() const { return path_; }

  void set_text(const std::string& name, std::string_view text);
  void set_integers(const std::string& name, Type type, std::span<const std::uint64_t> values);
  void set_integer(const std::string& name, Type type, std::uint64_t value) {
    set_integers(name, type, {&value, 1});
  }
  void set_real(const std::string& name, double value);

  std::vector<std::string> attributes() const;
  bool has_attribute(const std::string& name) const;
  /// Nothing when there is no such attribute or it is of another kind.
  std::optional<std::string> text(const std::string& name) const;
  std::optional<std::vector<std::uint64_t>> integers(const std::string& name) const;
  std::optional<double> real(const std::string& name) const;
  /// False when an attribute has a compound, enumeration, reference or opaque type.
  bool plain_attribute(const std::string& name) const;

 protected:
  Object(std::string file, std::string path, std::shared_ptr<const WriteErrors> errors, Handle handle)
      : file_(std::move(file)),
        path_(std::move(path)),
        errors_(std::move(errors)),
        handle_(std::move(handle)) {}
  /// Throws when the disk has refused something.
  void check_written() const;

  std::string file_;
  std::string path_;
  std::shared_ptr<const WriteErrors> errors_;
  Handle handle_;
};

class Group : public Object {
 public:
  /// Names of what it holds, in order of creation.
  std::vector<std::string> members() const;

 private:
  friend class File;
  using Object::Object;
};

class Dataset : public Object {
 public:
  /// Nothing for a type that archives do not use.
  std::optional<Type> type() const;
  Extents extents() const;
  void extend(const Extents& extents);

  /// A block [start, start + count), row-major. `bytes` holds elements of `type`.
  void write(Type type, const Extents& start, const Extents& count, std::span<const std::byte> bytes);
  void write_text(std::uint64_t start, std::span<const std::string> values);
  void read(Type type, const Extents& start, const Extents& count, std::span<std::byte> bytes) const;
  /// Rows of a 1-D text column. An absent string reads as empty.
  std::vector<std::string> read_text(std::uint64_t start, std::uint64_t count) const;
  void write_scalar(std::string_view text);
  std::string read_scalar() const;

  void make_scale(const std::string& name);
  bool is_scale() const;
  void attach_scale(unsigned axis, const Dataset& scale);
  /// Path (without the leading slash) of the one scale of an axis; "" when it has none or several.
  std::string scale_of(unsigned axis) const;

 private:
  friend class File;
  using Object::Object;
};

/// How a dataset is laid out. Extents of `unlimited` maximum grow; all chunked data is shuffled and deflated,
/// whose check sums also guard the references of text against damage.
struct DatasetShape {
  Extents extents;  ///< empty: a scalar
  Extents maximum;
  Extents chunk;
};

class File {
 public:
  /// Replaces what is there.
  static File create(const std::string& path);
  /// Read-only.
  static File open(const std::string& path);
  /// For repair tools and tests: published archives are never opened so.
  static File open_for_writing(const std::string& path);

  Group create_group(const std::string& path);
  Dataset create_dataset(const std::string& path, Type type, const DatasetShape& shape);
  bool has(const std::string& path) const;
  Group group(const std::string& path) const;
  Dataset dataset(const std::string& path) const;
  /// Is there a dataset (not a group) of this path?
  bool is_dataset(const std::string& path) const;
  void remove(const std::string& path);
  void flush();
  /// Closes and reports what the destructor could not.
  void close();

 private:
  File(std::string path, std::shared_ptr<WriteErrors> errors, Handle handle)
      : path_(std::move(path)), errors_(std::move(errors)), handle_(std::move(handle)) {}
  void check_written() const;

  std::string path_;
  std::shared_ptr<WriteErrors> errors_;  // outlives the handle: closing may still write
  Handle handle_;
};

}  // namespace stemma::h5
