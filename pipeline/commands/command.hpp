// What is a verb of the command line?
#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/distributed/world.hpp"
#include "pipeline/exit_code.hpp"
#include "pipeline/log.hpp"

namespace CLI {
class App;
}

namespace stemma {

/// A command line that cannot be carried out; the sentence says what to write instead.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Options that every verb understands, and what was started.
struct Invocation {
  Launch launch;
  std::vector<std::string> argv;
  bool json = false;
  bool strict = false;
  bool verbose = false;
  bool quiet = false;
  std::string progress = "auto";
  std::vector<std::string> architectures;

  std::string command_line() const;
};

/// A command line to copy, and what it does; "" when the line says it all.
struct Example {
  std::string_view line;
  std::string_view meaning;
};

/// One verb. Serial verbs run in one process and never start MPI; parallel ones are called on every rank.
class Command {
 public:
  virtual ~Command() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  virtual std::vector<Example> examples() const = 0;  ///< the first one shows what most people want
  virtual bool parallel() const { return false; }
  /// Whether it looks at what signals ask for (stop_signal.hpp); others end where a signal finds them.
  virtual bool heeds_signals() const { return false; }
  /// Adds arguments and options to the verb's part of the command line.
  virtual void declare(CLI::App& app) = 0;
  /// Collective when parallel. Throws what main explains.
  virtual ExitCode execute(const Invocation& invocation, const World& world) = 0;
  /// Called on rank 0 after a parallel verb threw, with the code on which all ranks agreed.
  virtual void ended_badly(ExitCode) noexcept {}
  /// Called on rank 0 as the last act of a parallel verb, however it ended.
  virtual void ended(ExitCode) noexcept {}
};

/// All verbs in the order of the help.
std::vector<std::unique_ptr<Command>> all_commands();

std::unique_ptr<Command> run_command();
std::unique_ptr<Command> plan_command();
std::unique_ptr<Command> fingerprint_command();
std::unique_ptr<Command> compare_command();
std::unique_ptr<Command> trace_command();
std::unique_ptr<Command> report_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> verify_command();
std::unique_ptr<Command> merge_command();
std::unique_ptr<Command> schema_command();
std::unique_ptr<Command> doctor_command();

/// Parses the command line, runs the verb on all ranks and turns whatever happens into an exit code. Failures
/// are printed once, by rank 0.
ExitCode run_program(int argc, char** argv);

}  // namespace stemma
