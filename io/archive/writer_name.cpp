// A number of a process alone would be that of another one on another machine.
#include "io/archive/writer_name.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace stemma {
namespace {

constexpr std::string_view mark = ".tmp.";

}  // namespace

std::string host_name() {
  char text[256] = {};
  return gethostname(text, sizeof text - 1) == 0 ? text : "unknown";
}

std::string writer_name() { return fmt::format("{}.{}", host_name(), getpid()); }

std::filesystem::path temporary_name(const std::filesystem::path& path, std::string_view writer) {
  return fmt::format("{}{}{}", path.string(), mark, writer);
}

bool is_temporary(std::string_view file_name) {
  const std::size_t at = file_name.rfind(mark), number = file_name.rfind('.') + 1;
  return at != std::string_view::npos && number > at + mark.size() && number < file_name.size() &&
         file_name.find_first_not_of("0123456789", number) == std::string_view::npos;
}

}  // namespace stemma
