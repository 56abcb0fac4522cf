// stemma: who descends from whom, from the weights of language models.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string_view>

#include "pipeline/commands/command.hpp"

namespace {

/// Where no exception can travel any more: a library's destructor found no memory, say. Takes no memory.
[[noreturn]] void end_at_once() {
  constexpr std::string_view sentence =
      "stemma: internal error: an exception left a place that none may leave; most often memory ran out. Set "
      "runtime.memory_per_rank higher, or start fewer ranks per node\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, sentence.data(), sentence.size());
  std::_Exit(static_cast<int>(stemma::ExitCode::internal));
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(end_at_once);
  return static_cast<int>(stemma::run_program(argc, argv));
}
