// Names are sorted; of unexpected ones the first hundred are told one by one.
#include "io/formats/pickle_report.hpp"

#include <fmt/format.h>

#include <utility>

#include "io/formats/pickle_globals.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_findings = 100, most_text = 4096;

GlobalKind kind_of(const std::string& name) { return global_named(name).kind; }

}  // namespace

void PickleReport::add(Severity severity, std::string rule, std::string found, std::string hint) {
  if (findings_.size() < most_findings)
    findings_.push_back({.severity = severity,
                         .rule = std::move(rule),
                         .file = file_name_,
                         .byte_offset = begin_ + at_,
                         .found = std::move(found),
                         .hint = std::move(hint)});
}

void PickleReport::refuse(std::string_view rule, std::string found, std::string expected,
                          std::string hint) const {
  require_harmless();
  throw InvalidInput({.rule = fmt::format("pickle.{}", rule),
                      .file = file_name_,
                      .byte_offset = begin_ + at_,
                      .expected = std::move(expected),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

void PickleReport::require_harmless() const {
  for (const auto& [name, at] : globals_) {
    if (kind_of(name) != GlobalKind::hostile) continue;
    throw InvalidInput(
        {.rule = "unexpected_global",
         .file = file_name_,
         .byte_offset = begin_ + at,
         .found = printable(name),
         .hint = fmt::format("would run code when unpickled; nothing of it was run here. Do not "
                             "open this file with anything that unpickles. All names: {}",
                             printable(all_names(), 300))});
  }
}

std::vector<Finding> PickleReport::finish() {
  require_harmless();
  if (globals_.empty()) return std::move(findings_);
  std::size_t unexpected = 0;
  for (const auto& [name, at] : globals_) {
    if (kind_of(name) != GlobalKind::unexpected || ++unexpected > most_findings) continue;
    findings_.push_back({.severity = Severity::warning,
                         .rule = "unexpected_global",
                         .file = file_name_,
                         .byte_offset = begin_ + at,
                         .found = printable(name),
                         .hint = "no name of a state dict: what it would make is left out"});
  }
  if (unexpected > most_findings)
    findings_.push_back({.severity = Severity::warning,
                         .rule = "unexpected_global",
                         .file = file_name_,
                         .found = fmt::format("{} more", unexpected - most_findings)});
  findings_.push_back({.severity = Severity::note,
                       .rule = "pickle.globals",
                       .file = file_name_,
                       .found = all_names(),
                       .hint = "the names that an unpickler would import"});
  return std::move(findings_);
}

std::string PickleReport::all_names() const {
  std::string text;
  std::size_t told = 0;
  for (const auto& [name, at] : globals_) {
    if (text.size() > most_text) break;
    text += fmt::format("{}{}", told++ == 0 ? "" : ", ", name);
  }
  if (told < globals_.size()) text += fmt::format(" and {} more", globals_.size() - told);
  return text;
}

}  // namespace stemma
