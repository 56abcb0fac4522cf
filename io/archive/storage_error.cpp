// How is a disk problem said in one line?
#include "io/archive/storage_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

bool is_no_space(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

/// Not what was asked, but the disk or the way to it: a connection, a mount, a server.
bool is_broken(int error_number) {
  return error_number == EIO || error_number == ESTALE || error_number == ENODEV;
}

/// The place is none where this may be written.
bool is_refused(std::string_view operation, int error_number) {
  if (operation != "create" && operation != "write" && operation != "rename" && operation != "set aside")
    return false;
  return error_number == EACCES || error_number == EPERM || error_number == EROFS ||
         error_number == ENOTDIR || error_number == EISDIR || error_number == ELOOP ||
         error_number == ENAMETOOLONG || error_number == ENOENT;
}

std::string text_of(int error_number) { return std::generic_category().message(error_number); }

std::string sentence(std::string_view file, std::string_view object, std::string_view operation,
                     int error_number, std::string_view detail) {
  if (is_no_space(error_number)) {
    const std::filesystem::path path{file};
    const std::string directory = path.has_parent_path() ? path.parent_path().string() : ".";
    return fmt::format(
        "{}: no space left in {} ({}); nothing was published half-done. Free some space or choose another "
        "output "
        "directory, then start again.",
        printable(file), printable(directory), text_of(error_number));
  }
  std::string cause{printable(detail, 400)};
  if (error_number != 0) cause = cause.empty() ? text_of(error_number) : text_of(error_number) + "; " + cause;
  const char* advice =
      is_broken(error_number)
          ? "; the disk or the file system failed. Check it or use another one, then start again."
      : is_refused(operation, error_number) ? ". Choose another place, one where you may write"
                                            : "";
  return fmt::format("{}: cannot {}{}{}{}{}", printable(file), operation, object.empty() ? "" : " ",
                     printable(object), cause.empty() ? "" : " (" + cause + ")", advice);
}

}  // namespace

StorageError::StorageError(std::string file, std::string object, std::string operation, int error_number,
                           std::string_view detail)
    : std::runtime_error(sentence(file, object, operation, error_number, detail)),
      file_(std::move(file)),
      object_(std::move(object)),
      operation_(std::move(operation)),
      error_number_(error_number) {}

std::string StorageError::problem() const {
  return std::string(what()).substr(printable(file_).size() + std::string_view(": ").size());
}

bool StorageError::no_space() const { return is_no_space(error_number_); }

}  // namespace stemma
