// Every kind of failure that a verb may throw has its exit code here.
#include "pipeline/commands/trouble.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/standard_output.hpp"
#include "pipeline/run_directory.hpp"
#include "pipeline/time_limit.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_complaints = 50;
constexpr std::size_t most_of_a_line = 4000;

Trouble one(ExitCode code, const std::exception& error) {
  return {code,
          {Problem{.file = "", .line = 0, .column = 0, .key = "", .message = error.what(), .place = ""}}};
}

/// Whoever closed the pipe knows it; a full disk is news.
Trouble lost(const LostOutput& error) {
  if (error.error_number() == EPIPE) return {ExitCode::reader_gone, {}};
  return one(ExitCode::usage, error);
}

void say(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

/// The parts of "problem (why it is one). Suggestion"; what a message lacks is "".
struct Words {
  std::string problem, reason, suggestion;
};

Words words_within(const std::string& message) {
  Words words{message, "", ""};
  int open = 0;
  for (std::size_t at = 0; at + 2 < message.size(); ++at) {
    if (message[at] == '(') ++open;
    if (message[at] == ')') --open;
    if (open > 0 || message.compare(at, 2, ". ") != 0 || message[at + 2] < 'A' || message[at + 2] > 'Z')
      continue;
    words = {message.substr(0, at), "", message.substr(at + 2)};
    break;
  }
  const std::size_t reason = words.problem.rfind(" (");
  if (words.problem.ends_with(')') && reason != std::string::npos) {
    words.reason = words.problem.substr(reason + 2, words.problem.size() - reason - 3);
    words.problem.resize(reason);
  }
  return words;
}

void print_json(const Trouble& trouble) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const Problem& p : trouble.problems) {
    const Words words = words_within(p.message);
    problems.push_back({{"file", p.file},
                        {"line", p.line},
                        {"column", p.column},
                        {"place", p.place},
                        {"key", p.key},
                        {"problem", words.problem},
                        {"reason", words.reason},
                        {"suggestion", words.suggestion}});
  }
  const nlohmann::ordered_json document{{"schema", "stemma.error/1"},
                                        {"stemma", version_text},
                                        {"exit_code", static_cast<int>(trouble.code)},
                                        {"problems", problems}};
  std::puts(document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

}  // namespace

Trouble trouble_from(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const ConfigProblems& error) {
    return {ExitCode::usage, error.problems()};
  } catch (const UsageError& error) {
    return one(ExitCode::usage, error);
  } catch (const OtherConfiguration& error) {
    return one(ExitCode::usage, error);
  } catch (const LonelyCopies& error) {
    return one(ExitCode::usage, error);
  } catch (const StorageError& error) {
    return one(ExitCode::usage, error);
  } catch (const std::filesystem::filesystem_error& error) {
    return one(ExitCode::usage, StorageError(error.path1().string(), "", "use", error.code().value()));
  } catch (const StoppedEarly& error) {
    return one(error.code(), error);
  } catch (const LostOutput& error) {
    return lost(error);
  } catch (const InvalidInput& error) {
    return one(ExitCode::invalid, error);
  } catch (const FailedElsewhere& error) {
    return one(ExitCode::done, error);        // the rank that failed knows the code
  } catch (const std::system_error& error) {  // fmt throws it when a stream takes no more
    return output_failed() ? lost(LostOutput(error.code().value())) : one(ExitCode::internal, error);
  } catch (const std::exception& error) {
    return one(ExitCode::internal, error);
  }
}

void print(const Trouble& trouble, bool json) noexcept {
  try {
    if (json && !output_failed() && !trouble.problems.empty()) print_json(trouble);
    std::size_t lines = 0;
    for (const Problem& problem : trouble.problems) {
      if (lines++ == most_complaints) {
        say(fmt::format("and {} more", trouble.problems.size() - most_complaints));
        break;
      }
      const bool has_place = !problem.file.empty() || !problem.place.empty();
      say(printable(has_place ? sentence(problem) : "stemma: " + problem.message, most_of_a_line));
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): memory is exhausted, the exit code has to do
  }
}

}  // namespace stemma
