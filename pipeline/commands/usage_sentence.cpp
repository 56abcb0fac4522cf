// Which word of this command line is wrong, and which one was meant?
#include "pipeline/commands/usage_sentence.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "io/config/yaml_section.hpp"
#include "io/model/finding.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

std::string with_nearest(std::string sentence, const std::string& word, const std::vector<std::string>& known,
                         const std::string& otherwise) {
  if (const auto close = nearest(word, known)) return fmt::format("{}. Did you mean {}?", sentence, *close);
  return fmt::format("{}. {}", sentence, otherwise);
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

void add_options_of(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
}

/// "wants DIR (run directory, instead of the configured one)"
std::string wants(const CLI::Option& option) {
  return fmt::format("wants {} ({})", option.get_type_name(), option.get_description());
}

const CLI::Option* missing_option(const CLI::App& verb, bool positional) {
  for (const CLI::Option* option : verb.get_options())
    if (option->get_positional() == positional && option->get_required() && option->count() == 0)
      return option;
  return nullptr;
}

/// The option that a sentence of CLI11 begins with, as in "--output: 1 required DIR missing".
const CLI::Option* named_in(const CLI::App& app, const std::string& text) {
  return app.get_option_no_throw(text.substr(0, text.find(':')));
}

}  // namespace

std::vector<std::string> with_help_as_option(std::vector<std::string> words) {
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const CLI::App* verb = parsed.empty() ? nullptr : parsed.front();
  const std::string program = verb ? "stemma " + verb->get_name() : "stemma";
  const std::string more = fmt::format("{} --help says more", program);
  const std::vector<std::string> unknown = app.remaining(true);
  if (!verb && !unknown.empty() && !unknown.front().starts_with('-'))
    return with_nearest(fmt::format("{} is not a verb of stemma", printable(unknown.front())),
                        unknown.front(), verbs_of(app), "stemma --help lists them");
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return "";
  for (const std::string& word : unknown) {
    const std::string option = word.substr(0, word.find('='));
    if (!option.starts_with('-') || option == "--") continue;
    std::vector<std::string> known;
    if (verb) add_options_of(*verb, known);
    add_options_of(app, known);
    return with_nearest(fmt::format("{} is not an option of {}", printable(option), program), option, known,
                        more);
  }
  if (!verb && error.get_name() == "RequiredError")
    return fmt::format("a verb is wanted: one of {}. {}", fmt::join(verbs_of(app), ", "), more);
  if (verb && error.get_name() == "RequiredError") {
    if (const CLI::Option* argument = missing_option(*verb, true))
      return fmt::format("{} {}. {}", verb->get_name(), wants(*argument), more);
    if (const CLI::Option* option = missing_option(*verb, false))
      return fmt::format("{} is required: it {}. {}", option->get_name(), wants(*option), more);
  }
  if (verb && error.get_name() == "ArgumentMismatch")
    for (const CLI::App* owner : {verb, &app})
      if (const CLI::Option* option = named_in(*owner, error.what()))
        return fmt::format("{} {}. {}", option->get_name(), wants(*option), more);
  if (!unknown.empty())
    return fmt::format("{} was not expected by {}. {}", printable(unknown.front()), program, more);
  constexpr std::size_t longest = 600;  // a word that is none of many
  return fmt::format("{}. {}", printable(error.what(), longest), more);
}

CLI::Validator one_of(std::vector<std::string> choices) {
  // A validator's name is shown nowhere, so it may carry the words to whoever asks for them.
  std::string words = fmt::format("{}", fmt::join(choices, "\n"));
  const auto check = [choices = std::move(choices)](const std::string& word) -> std::string {
    if (std::find(choices.begin(), choices.end(), word) != choices.end()) return "";
    const auto close = nearest(word, choices);
    return fmt::format("{} is none of {}{}", printable(word), fmt::join(choices, ", "),
                       close ? fmt::format(" (did you mean {}?)", *close) : "");
  };
  return CLI::Validator(check, "", std::move(words));
}

std::vector<std::string> choices_of(CLI::Option& option) {
  std::string words;
  try {
    words = option.get_validator(0)->get_name();
  } catch (const CLI::OptionNotFound&) {  // NOLINT(bugprone-empty-catch): it has no validator
  }
  return words.empty() ? std::vector<std::string>() : CLI::detail::split(words, '\n');
}

CLI::Validator number_in(std::uint64_t lowest, std::uint64_t highest) {
  const auto check = [lowest, highest](const std::string& word) -> std::string {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size() && number >= lowest && number <= highest)
      return "";
    return fmt::format("{} is no whole number from {} to {}", printable(word), lowest, with_commas(highest));
  };
  return CLI::Validator(check, "");
}

}  // namespace stemma
