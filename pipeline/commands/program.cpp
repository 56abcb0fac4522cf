// How does a command line become one verb, carried out on all ranks, and one exit code?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sstream>

#include "pipeline/citation.hpp"
#include "pipeline/commands/help_page.hpp"
#include "pipeline/commands/standard_output.hpp"
#include "pipeline/commands/trouble.hpp"
#include "pipeline/commands/usage_sentence.hpp"
#include "pipeline/stop_signal.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

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
      deliver_output();
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) return code;
    const Trouble trouble = trouble_from(failure);
    print(trouble, invocation.json);
    return trouble.code;
  }
  if (command.heeds_signals()) listen_to_signals();
  const World world(invocation.launch);
  try {
    code = command.execute(invocation, world);
    deliver_output();
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
    command.ended_badly(code);
    print(trouble, invocation.json);
  }
  if (world.all().leads()) command.ended(code);
  return code;
}

/// --help, --version and --cite.
ExitCode answer(const CLI::App& app, const CLI::ParseError& request) {
  try {
    std::ostringstream page;
    app.exit(request, page);
    std::fputs(page.str().c_str(), stdout);
    deliver_output();
    return ExitCode::done;
  } catch (const LostOutput&) {
    const Trouble trouble = trouble_from(std::current_exception());
    print(trouble, false);
    return trouble.code;
  }
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
  app.add_flag_callback(
      "--cite", [] { throw CLI::CallForVersion(bibtex_of(citation_text), 0); },
      "how to cite Stemma and the methods that it carries out, as BibTeX");
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
    // Launchers end all ranks when one fails: those without a word must not be first.
    if (!speaks) return ExitCode::done;
    if (sentence.empty()) return answer(app, error);
    print({ExitCode::usage, {Problem{.message = sentence}}}, invocation.json);
    return ExitCode::usage;
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
