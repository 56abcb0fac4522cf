// What went wrong between us and the disk, in fields and in one sentence?
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace stemma {

/// A file that cannot be written, read or moved: the run cannot go on with it. `operation` is a verb
/// ("write"), `object` a dataset or attribute inside the file (may be empty), `error_number` an errno or 0.
class StorageError : public std::runtime_error {
 public:
  StorageError(std::string file, std::string object, std::string operation, int error_number,
               std::string_view detail = "");

  const std::string& file() const { return file_; }
  const std::string& object() const { return object_; }
  const std::string& operation() const { return operation_; }
  int error_number() const { return error_number_; }
  /// The sentence without the name of the file, for those who have said it already.
  std::string problem() const;
  /// The disk, the quota or the permitted file size is exhausted.
  bool no_space() const;

 private:
  std::string file_;
  std::string object_;
  std::string operation_;
  int error_number_;
};

}  // namespace stemma
