// One line for each: place, problem, reason, suggestion.
#include "io/config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace stemma {
namespace {

/// The file first, then what stands outside of it; "argument 2" before "argument 10".
auto order_of(const Problem& problem) {
  return std::tie(problem.file, problem.line, problem.column, problem.message);
}

bool comes_before(const Problem& a, const Problem& b) {
  if (a.place.empty() != b.place.empty()) return a.place.empty();
  if (a.place != b.place) {
    if (a.place.size() != b.place.size()) return a.place.size() < b.place.size();
    return a.place < b.place;
  }
  return order_of(a) < order_of(b);
}

std::vector<Problem> sorted(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(), comes_before);
  return problems;
}

std::string summary(const std::vector<Problem>& problems) {
  constexpr std::size_t limit = 50;
  std::string lines;
  for (std::size_t i = 0; i < std::min(limit, problems.size()); ++i) {
    if (i > 0) lines += '\n';
    lines += sentence(problems[i]);
  }
  if (problems.size() > limit) lines += fmt::format("\nand {} more", problems.size() - limit);
  return lines;
}

}  // namespace

std::string sentence(const Problem& problem) {
  if (!problem.place.empty()) return problem.place + ": " + problem.message;
  if (problem.line > 0 && problem.column > 0) {
    return fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
  }
  if (problem.line > 0) return fmt::format("{}:{}: {}", problem.file, problem.line, problem.message);
  return problem.file.empty() ? problem.message : problem.file + ": " + problem.message;
}

ConfigProblems::ConfigProblems(std::vector<Problem> problems)
    : std::runtime_error(summary(sorted(problems))), problems_(sorted(std::move(problems))) {}

}  // namespace stemma
