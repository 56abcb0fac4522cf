// How does a command line become one verb, carried out on all ranks, and one exit code?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/storage_error.hpp"
#include "io/config/problems.hpp"
#include "io/model/finding.hpp"
#include "pipeline/commands/help_page.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/run_directory.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

/// What went wrong, as an exit code and as problems to print.
struct Trouble {
  ExitCode code = ExitCode::internal;
  std::vector<Problem> problems;
};

Trouble trouble_from(const std::exception_ptr& failure) {
  const auto one = [](ExitCode code, const std::exception& error) {
    return Trouble{
        code, {Problem{.file = "", .line = 0, .column = 0, .key = "", .message = error.what(), .place = ""}}};
  };
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
    return one(ExitCode::usage, error);
  } catch (const InvalidInput& error) {
    return one(ExitCode::invalid, error);
  } catch (const FailedElsewhere& error) {
    return one(ExitCode::done, error);  // the rank that failed knows the code
  } catch (const std::exception& error) {
    return one(ExitCode::internal, error);
  }
}

constexpr std::size_t most_lines = 50;

void print(const Trouble& trouble, bool json) {
  if (json) {
    nlohmann::ordered_json problems = nlohmann::ordered_json::array();
    for (const Problem& p : trouble.problems)
      problems.push_back({{"file", p.file},
                          {"line", p.line},
                          {"column", p.column},
                          {"place", p.place},
                          {"key", p.key},
                          {"problem", p.message}});
    const nlohmann::ordered_json document{
        {"schema", "stemma.error/1"}, {"exit_code", static_cast<int>(trouble.code)}, {"problems", problems}};
    fmt::print("{}\n", document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  std::size_t lines = 0;
  for (const Problem& problem : trouble.problems) {
    if (lines++ == most_lines) {
      fmt::print(stderr, "and {} more\n", trouble.problems.size() - most_lines);
      break;
    }
    const bool has_place = !problem.file.empty() || !problem.place.empty();
    fmt::print(stderr, "{}{}\n",
               has_place ? "" : "stemma: ", has_place ? sentence(problem) : problem.message);
  }
}

/// Options that stand before or behind every verb.
void declare_globals(CLI::App& app, Invocation& invocation) {
  app.add_flag("--json", invocation.json, "one JSON document on stdout; what is for people goes to stderr");
  app.add_flag("--strict", invocation.strict,
               "an invalid input ends the command (exit 3) before any weight is read");
  app.add_flag("-v,--verbose", invocation.verbose, "more lines in the log");
  app.add_flag("-q,--quiet", invocation.quiet, "only warnings in the log");
  app.add_option("--progress", invocation.progress, "how progress is shown: auto, bar, lines or none")
      ->check(one_of({"auto", "bar", "lines", "none"}))
      ->type_name("HOW")
      ->default_str("auto");
  app.add_option("--architectures", invocation.architectures,
                 "a directory with further architecture tables; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

ExitCode carry_out(Command& command, const Invocation& invocation) {
  std::exception_ptr failure;
  ExitCode code = ExitCode::done;
  if (!command.parallel()) {
    if (invocation.launch.rank != 0) return ExitCode::done;  // every copy but the first has nothing to do
    try {
      code = command.execute(invocation, World(Launch{}));
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) return code;
    const Trouble trouble = trouble_from(failure);
    print(trouble, invocation.json);
    return trouble.code;
  }
  const World world(invocation.launch);
  try {
    code = command.execute(invocation, world);
  } catch (...) {
    failure = std::current_exception();
  }
  Trouble trouble;
  if (failure) {
    trouble = trouble_from(failure);
    code = trouble.code;
  }
  // All ranks end with one code: that of the rank where it began.
  code = static_cast<ExitCode>(-world.all().all_reduce_min(-static_cast<int>(code)));
  if (failure && world.all().leads()) {
    trouble.code = code;
    print(trouble, invocation.json);
  }
  return code;
}

}  // namespace

std::string Invocation::command_line() const { return fmt::format("{}", fmt::join(argv, " ")); }

ExitCode run_program(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit then is an error of write, and gets its sentence
  Invocation invocation;
  invocation.launch = launch_from_environment();
  invocation.argv.assign(argv, argv + argc);
  CLI::App app("Reads the weights of language models and says who descends from whom, with evidence.",
               "stemma");
  app.set_version_flag("--version", fmt::format("stemma {} ({}, {})", version_text, commit_text, build_text),
                       "version, commit and build");
  app.set_help_flag("-h,--help", "this page, or that of a verb");
  app.require_subcommand(1);
  app.fallthrough();
  declare_globals(app, invocation);
  const auto commands = all_commands();
  app.formatter(help_page(commands));
  Command* chosen = nullptr;
  for (const auto& command : commands) {
    CLI::App* verb = app.add_subcommand(std::string(command->name()), std::string(command->summary()));
    verb->fallthrough();
    command->declare(*verb);
    verb->callback([&chosen, c = command.get()] { chosen = c; });
  }
  const bool speaks = invocation.launch.rank == 0;
  try {
    std::vector<std::string> words = with_help_as_option({argv + 1, argv + argc});
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    const std::string sentence = usage_sentence(app, error);
    if (speaks && sentence.empty()) app.exit(error);  // --help, --version
    if (speaks && !sentence.empty())
      print({ExitCode::usage, {Problem{.message = sentence}}}, invocation.json);
    return sentence.empty() ? ExitCode::done : ExitCode::usage;
  }
  try {
    return carry_out(*chosen, invocation);
  } catch (const std::exception& error) {  // of the world itself
    const Trouble trouble = trouble_from(std::current_exception());
    if (speaks) print(trouble, invocation.json);
    return trouble.code;
  }
}

}  // namespace stemma
