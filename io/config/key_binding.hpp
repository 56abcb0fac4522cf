// How does a key reach RunConfig?
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <type_traits>
#include <utility>

#include "io/config/key_table.hpp"

namespace stemma {

/// Connects a key with a member of RunConfig. `member` is a generic lambda, so that one expression serves
/// writing and reading; enumerators stand in the order of the choices.
template <class Member>
Key bound(Key key, Member member) {
  using Field = std::remove_cvref_t<decltype(member(std::declval<RunConfig&>()))>;
  if constexpr (std::is_enum_v<Field>) {
    key.set = [member, choices = key.choices](RunConfig& config, const KeyValue& value) {
      const auto at = std::find(choices.begin(), choices.end(), std::get<std::string>(value));
      member(config) = static_cast<Field>(at - choices.begin());
    };
    key.value = [member, choices = key.choices](const RunConfig& config) -> KeyValue {
      return choices.at(static_cast<std::size_t>(member(config)));
    };
  } else if constexpr (std::is_same_v<Field, std::optional<std::uint64_t>>) {
    key.set = [member](RunConfig& config, const KeyValue& value) {
      member(config).reset();
      if (const auto* bytes = std::get_if<std::int64_t>(&value)) {
        member(config) = static_cast<std::uint64_t>(*bytes);
      }
    };
    key.value = [member](const RunConfig& config) -> KeyValue {
      if (!member(config)) return std::monostate{};
      return static_cast<std::int64_t>(*member(config));
    };
  } else {
    key.set = [member](RunConfig& config, const KeyValue& value) { member(config) = std::get<Field>(value); };
    key.value = [member](const RunConfig& config) -> KeyValue { return member(config); };
  }
  return key;
}
#define STEMMA_MEMBER(member) ([](auto& config) -> auto& { return config.member; })

/// `analyzers` and `compare.tests`: giving the mapping replaces the default set, naming a question adds it
/// with its default options.
template <class Member>
Key questions(Key key, Member member) {
  key.type = KeyType::questions;
  key.set = [member](RunConfig& config, const KeyValue&) { member(config).clear(); };
  return key;
}
template <class Member>
Key question(Key key, Member member) {
  key.type = KeyType::question;
  const std::string name(last_step(key.path));
  key.set = [member, name](RunConfig& config, const KeyValue&) {
    const RunConfig defaults;
    member(config)[name] = member(defaults).at(name);
  };
  key.value = [member, name](const RunConfig& config) -> KeyValue {
    if (!member(config).contains(name)) return std::monostate{};
    return true;
  };
  return key;
}

/// One option of a question: "analyzers.NAME.OPTION". Options of analyzers travel as numbers (a choice
/// as its place among the choices), those of tests as words, because that is how analyzers and pair tests
/// take them.
template <class Member>
Key option(Key key, Member member) {
  const std::string name(last_step(key.path));
  const std::string owner(last_step(std::string_view(key.path).substr(0, key.path.size() - name.size() - 1)));
  const KeyType type = key.type;
  using Stored =
      typename std::remove_cvref_t<decltype(member(std::declval<RunConfig&>()))>::mapped_type::mapped_type;
  key.set = [member, owner, name, choices = key.choices](RunConfig& config, const KeyValue& value) {
    Stored& stored = member(config)[owner][name];
    if constexpr (std::is_same_v<Stored, double>) {
      if (const auto* yes = std::get_if<bool>(&value))
        stored = *yes ? 1 : 0;
      else if (const auto* word = std::get_if<std::string>(&value))
        stored = static_cast<double>(std::find(choices.begin(), choices.end(), *word) - choices.begin());
      else
        stored = static_cast<double>(std::get<std::int64_t>(value));
    } else {
      stored = std::holds_alternative<std::string>(value) ? std::get<std::string>(value)
                                                          : fmt::format("{}", std::get<std::int64_t>(value));
    }
  };
  key.value = [member, owner, name, type, choices = key.choices](const RunConfig& config) -> KeyValue {
    const Stored& stored = member(config).at(owner).at(name);
    if constexpr (std::is_same_v<Stored, double>) {
      if (type == KeyType::boolean) return stored != 0;
      if (type == KeyType::choice) return choices.at(static_cast<std::size_t>(stored));
      return static_cast<std::int64_t>(stored);
    } else {
      if (type == KeyType::choice) return stored;
      std::int64_t number = 0;
      std::from_chars(stored.data(), stored.data() + stored.size(), number);
      return number;
    }
  };
  return key;
}

}  // namespace stemma
