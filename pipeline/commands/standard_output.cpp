// The streams remember that a write failed; what became of it is asked once, before the program ends.
#include "pipeline/commands/standard_output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace stemma {

LostOutput::LostOutput(int error_number)
    : std::runtime_error(fmt::format(
          "what was to be printed could not be written ({}). Free some space, or send it elsewhere",
          std::generic_category().message(error_number))),
      error_number_(error_number) {}

void deliver_output() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw LostOutput(errno == 0 ? EIO : errno);
}

bool output_failed() { return std::ferror(stdout) != 0 || std::ferror(stderr) != 0; }

}  // namespace stemma
