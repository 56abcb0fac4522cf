// How does a script know that a verb ran to its end, whatever a launcher says of it?
#pragma once
#include <string>
#include <vector>

#include "pipeline/exit_code.hpp"

namespace CLI {
class App;
}

namespace stemma {

/// --receipt: a file that is there when rank 0 came to its end, and says how (stemma.receipt/1: exit_code,
/// and the uuid of every run that was archived). Some launchers end with 0 when they could start nothing. All
/// is rank 0's.
class Receipt {
 public:
  void declare(CLI::App& app);
  /// Removes what an earlier run left. Throws StorageError where no receipt could be written.
  void begin() const;
  void add(const std::string& run) { runs_.push_back(run); }
  void write(ExitCode code) const noexcept;

 private:
  std::string file_;
  std::vector<std::string> runs_;
};

}  // namespace stemma
