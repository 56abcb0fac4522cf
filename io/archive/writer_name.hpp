// Which process writes a file, among those of all machines, and what is the file called until it is whole?
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace stemma {

/// The name that this machine gives itself; "unknown" where it has none.
std::string host_name();

/// "HOST.NUMBER": no process of any machine that sees the same files has the same, while it lives.
std::string writer_name();

/// PATH.tmp.WRITER, in the directory of `path`.
std::filesystem::path temporary_name(const std::filesystem::path& path, std::string_view writer);

/// Whether a file is called as temporary_name() calls those of a writer_name().
bool is_temporary(std::string_view file_name);

}  // namespace stemma
