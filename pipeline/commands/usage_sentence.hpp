// What is wrong with this command line, in one sentence?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
class ParseError;
class Validator;
}  // namespace CLI

namespace stemma {

/// The words of a command line with "help VERB" written as "VERB --help".
std::vector<std::string> with_help_as_option(std::vector<std::string> words);

/// Why `app` could not parse its command line, with the nearest word that it knows. For a verb that is
/// unknown the same sentence is made when its help was asked for; "" when `error` is a request that can be
/// fulfilled.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error);

/// Accepts these words alone; the refusal names the nearest one.
CLI::Validator one_of(std::vector<std::string> choices);
/// The words of an option that was given to one_of; none of another option.
std::vector<std::string> choices_of(CLI::Option& option);

/// Accepts whole numbers from `lowest` to `highest`.
CLI::Validator number_in(std::uint64_t lowest, std::uint64_t highest);

}  // namespace stemma
