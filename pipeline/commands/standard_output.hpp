// Did everything that was said arrive?
#pragma once
#include <stdexcept>

namespace stemma {

/// stdout did not take what was written to it. `error_number` is an errno; EPIPE: its reader is gone, as that
/// of "| head -1".
class LostOutput : public std::runtime_error {
 public:
  explicit LostOutput(int error_number);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

/// Flushes stdout, which is buffered: a full disk often shows only here. Throws LostOutput.
void deliver_output();

/// Has a write to stdout or stderr failed already?
bool output_failed();

}  // namespace stemma
