// Where else does the log of a verb go, and in which form?
#pragma once
#include <string>

#include "pipeline/log.hpp"

namespace CLI {
class App;
}

namespace stemma {

/// --log-file and --log-format, of verbs whose log goes on for a while.
struct LogCopy {
  std::string file, format = "text";

  void declare(CLI::App& app);
  /// Nothing without --log-file. Throws StorageError.
  void begin(Log& log) const;
};

}  // namespace stemma
