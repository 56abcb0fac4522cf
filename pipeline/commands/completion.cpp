// A script of fixed functions and, between them, patterns of "VERB OPTION" with what completes their values.
#include "pipeline/commands/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace stemma {
namespace {

constexpr std::string_view beginning =
    R"(# bash completion of stemma, made by: stemma schema --completion bash
# In the shell at hand:   source <(stemma schema --completion bash)

# Adds to COMPREPLY what compgen finds.
_stemma_add() { mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$@"); }

_stemma_words() { _stemma_add -W "$1" -- "$2"; }

# KIND WORD
_stemma_files() {
  compopt -o filenames 2>/dev/null
  _stemma_add -d -- "$2"
  case $1 in
    directory) ;;
    yaml) _stemma_add -f -X '!*.yaml' -- "$2"; _stemma_add -f -X '!*.yml' -- "$2" ;;
    *) local entry; while IFS= read -r entry; do [[ -d $entry ]] || COMPREPLY+=("$entry"); done < <(compgen -f -- "$2") ;;
  esac
}

# Keys of a configuration up to the =, behind which their value follows without a space.
_stemma_keys() {
  local before=${#COMPREPLY[@]}
  _stemma_words "$_stemma_all_keys" "$1"
  [[ ${#COMPREPLY[@]} -eq $before ]] || compopt -o nospace +o filenames 2>/dev/null
}

)";

constexpr std::string_view ending = R"(
_stemma() {
  local cursor=${COMP_WORDS[COMP_CWORD]} before='' verb='' given=0 i word options
  COMPREPLY=()
  # Bash splits at =, so --output=DIR and key=value are three words.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then
      ((i++))
    elif [[ $word == -* ]]; then
      _stemma_has_value "$verb" "$word" && [[ ${COMP_WORDS[i + 1]} != '=' ]] && ((i++))
    elif [[ -z $verb ]]; then
      verb=$word
    else
      ((given++))
    fi
  done
  if [[ $cursor == '=' ]]; then
    cursor='' before=${COMP_WORDS[COMP_CWORD - 1]}
  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then
    before=${COMP_WORDS[COMP_CWORD - 1]}
  fi
  case $before in
    '') ;;
    -*)
      if _stemma_has_value "$verb" "$before"; then
        _stemma_value "$verb" "$before" "$cursor"
        return
      fi
      ;;
    *)
      _stemma_key_value "$before" "$cursor" || _stemma_files any "$cursor"
      return
      ;;
  esac
  options=$(_stemma_options "$verb")
  if [[ $cursor == -* ]]; then
    _stemma_words "$options" "$cursor"
  elif [[ -z $verb || $verb == help ]]; then
    _stemma_words "$_stemma_verbs" "$cursor"
    [[ -n $verb ]] || _stemma_words help "$cursor"
  else
    _stemma_argument "$verb" "$cursor" "$given"
  fi
}

complete -F _stemma stemma
)";

bool any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

/// The command that completes a value, by what the help calls it: words, files of a kind, or anything.
std::string action_for(const OptionRow& row, const char* cursor) {
  if (!row.choices.empty()) return fmt::format("_stemma_words '{}' \"{}\"", joined(row.choices), cursor);
  if (any_of(row.value, {"CONFIG"})) return fmt::format("_stemma_files yaml \"{}\"", cursor);
  if (any_of(row.value, {"DIR"})) return fmt::format("_stemma_files directory \"{}\"", cursor);
  if (any_of(row.value, {"FILE", "ARCHIVE", "MODEL", "TARGET", "BASE", "RUN"}))
    return fmt::format("_stemma_files any \"{}\"", cursor);
  return "";
}

/// _stemma_has_value VERB OPTION, and _stemma_value VERB OPTION CURSOR.
std::string values_of_options(std::span<const VerbRows> table) {
  std::map<std::string, std::vector<std::string>> patterns;  // by what completes them
  for (const VerbRows& verb : table)
    for (const OptionRow& option : verb.options)
      for (const std::string& name : option.names) {
        if (option.value.empty()) continue;
        const bool everywhere = &verb == &table.front();
        patterns[action_for(option, "$3")].push_back(everywhere ? fmt::format("*' {}'", name)
                                                                : fmt::format("'{} {}'", verb.name, name));
      }
  std::vector<std::string> all;
  std::string text = "# VERB OPTION WORD\n_stemma_value() {\n  case \"$1 $2\" in\n";
  for (const auto& [action, cases] : patterns) {
    all.insert(all.end(), cases.begin(), cases.end());
    if (!action.empty()) text += fmt::format("    {}) {} ;;\n", fmt::join(cases, " | "), action);
  }
  text += "  esac\n}\n\n";
  return text + fmt::format(
                    "# VERB OPTION\n_stemma_has_value() {{\n  case \"$1 $2\" in\n    {}) ;;\n    *) return 1 "
                    ";;\n  esac\n}}\n\n",
                    fmt::join(all, " | "));
}

std::string values_of_keys(std::span<const Key> keys) {
  std::string text =
      "# KEY WORD; fails where the values are not known\n_stemma_key_value() {\n  case $1 in\n";
  for (const Key& key : keys) {
    std::vector<std::string> values = key.choices;
    if (key.type == KeyType::boolean) values = {"true", "false"};
    if (!values.empty())
      text += fmt::format("    {}) _stemma_words '{}' \"$2\" ;;\n", key.path, joined(values));
  }
  return text + "    *) return 1 ;;\n  esac\n}\n\n";
}

std::string options_of_verbs(std::span<const VerbRows> table) {
  std::string text = "_stemma_options() {\n";
  for (const VerbRows& verb : table) {
    std::vector<std::string> names;
    for (const OptionRow& option : verb.options)
      names.insert(names.end(), option.names.begin(), option.names.end());
    if (&verb == &table.front()) {
      text += fmt::format("  echo '{}'\n  case $1 in\n", joined(names));
    } else if (!names.empty()) {
      text += fmt::format("    {}) echo '{}' ;;\n", verb.name, joined(names));
    }
  }
  return text + "  esac\n}\n\n";
}

/// _stemma_argument VERB CURSOR GIVEN: a configuration comes first and alone, other arguments in any number.
std::string arguments_of_verbs(std::span<const VerbRows> table) {
  std::string text = "# VERB WORD GIVEN\n_stemma_argument() {\n  case $1 in\n";
  for (const VerbRows& verb : table.subspan(1)) {
    if (verb.arguments.empty()) continue;
    std::string action = action_for(verb.arguments.front(), "$2");
    if (verb.takes_overrides() && verb.argument() == "CONFIG") {
      action = fmt::format("if [[ $3 -eq 0 ]]; then {}; else _stemma_keys \"$2\"; fi", action);
    } else if (verb.takes_overrides()) {
      action += "; [[ -z $2 ]] || _stemma_keys \"$2\"";
    }
    text += fmt::format("    {}) {} ;;\n", verb.name, action);
  }
  return text + "  esac\n}\n";
}

}  // namespace

std::string bash_completion(std::span<const VerbRows> table, std::span<const Key> keys) {
  std::vector<std::string> verbs, paths;
  for (const VerbRows& verb : table.subspan(1)) verbs.push_back(verb.name);
  for (const Key& key : keys)
    if (key.type != KeyType::section && key.type != KeyType::questions) paths.push_back(key.path + "=");
  return fmt::format("{}_stemma_verbs='{}'\n_stemma_all_keys='{}'\n\n{}{}{}{}{}", beginning, joined(verbs),
                     joined(paths), options_of_verbs(table), values_of_options(table), values_of_keys(keys),
                     arguments_of_verbs(table), ending);
}

}  // namespace stemma
