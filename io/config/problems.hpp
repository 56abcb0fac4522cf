// What is wrong with a configuration, all of it at once, each with its place?
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

namespace stemma {

/// One mistake. Line and column count from 1; 0 means the whole file. `place` overrides file:line:col
/// ("argument 3").
struct Problem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string key;      ///< dotted path of the key it concerns, may be empty
  std::string message;  ///< problem (why it is one). suggestion?
  std::string place;

  bool operator==(const Problem&) const = default;
};

/// "configs/audit.yaml:14:3: message"
std::string sentence(const Problem& problem);

/// Thrown with every problem that was found, sorted by place. what() is at most 50 lines, then "and N more".
class ConfigProblems : public std::runtime_error {
 public:
  explicit ConfigProblems(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

}  // namespace stemma
