// How does a command end?
#pragma once

namespace stemma {

/// Exit codes of every command; scripts depend on them.
enum class ExitCode : int {
  done = 0,
  usage = 2,         ///< command line, configuration, a place that cannot be written, disk full
  invalid = 3,       ///< an input is invalid (--strict; verify)
  partial = 4,       ///< finished, some models or items failed and are listed
  internal = 70,     ///< a broken invariant of the program or of MPI
  stopped = 85,      ///< ended before the work was done; the same command goes on where it was
  reader_gone = 141  ///< nobody reads stdout any more: what a shell reports of tools that SIGPIPE ends
};

}  // namespace stemma
