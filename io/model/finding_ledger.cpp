// Counting instead of repeating.
#include "io/model/finding_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace stemma {

void FindingLedger::add(Finding finding, const std::string& group, std::optional<std::uint32_t> tensor) {
  constexpr std::size_t most_lines = 100;
  if (tensor) {
    const StoredTensor& stored = checkpoint_->tensors[*tensor];
    finding.tensor = stored.name;
    if (stored.file < checkpoint_->files.size()) finding.file = checkpoint_->files[stored.file].path;
  }
  Rule& rule = rules_[finding.rule];
  if (const auto line = rule.lines.find(group); line != rule.lines.end()) {
    ++line->second.others;
  } else if (rule.lines.size() < most_lines) {
    rule.lines.emplace(group, Line{std::move(finding), 0});
  } else {
    ++rule.left_out;
  }
}

std::vector<Finding> FindingLedger::finish() {
  std::vector<Finding> findings;
  for (auto& [name, rule] : rules_) {
    const Severity severity = rule.lines.begin()->second.finding.severity;
    for (auto& [group, line] : rule.lines) {
      Finding& finding = line.finding;
      if (line.others > 0) {
        finding.found += fmt::format("{}and {} more like it", finding.found.empty() ? "" : ", ", line.others);
      }
      findings.push_back(std::move(finding));
    }
    if (rule.left_out > 0) {
      findings.push_back({.severity = severity,
                          .rule = name,
                          .found = fmt::format("{} more", rule.left_out),
                          .hint = "only the first of many are listed"});
    }
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.byte_offset, a.tensor, a.rule) <
           std::tie(b.file, b.byte_offset, b.tensor, b.rule);
  });
  return findings;
}

}  // namespace stemma
