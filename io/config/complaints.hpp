// Where do the readers of one file put what they find wrong or worth a note?
#pragma once
#include <string>
#include <vector>

#include "io/config/problems.hpp"

namespace stemma {

/// Where something was written. Line and column count from 1, 0 means the whole file. `argument` names a
/// place outside of the file ("argument 3") and then line and column mean nothing.
struct Place {
  int line = 0;
  int column = 0;
  std::string argument;
};

/// Problems and notes about one file, collected while the reading goes on.
class Complaints {
 public:
  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void add(const Place& at, std::string key, std::string message);
  void note(const Place& at, const std::string& message);
  /// Takes over what was found by another reading of the same file, and what is here already only once.
  void merge(const Complaints& other);

  const std::string& file() const { return file_; }
  const std::vector<Problem>& problems() const { return problems_; }
  const std::vector<std::string>& notes() const { return notes_; }  ///< "file:line:col: message"

  /// Throws ConfigProblems when there is a problem.
  void raise_if_any() const;

 private:
  std::string file_;
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

/// "file:line:col", "file", or the argument.
std::string printed(const Place& at, const std::string& file);

/// Text from a file fit for a message: control characters as \xNN, at most `limit` bytes, "" for an empty
/// one. io/config stands below io/model, whose printable() is stricter.
std::string shown(std::string_view text, std::size_t limit = 120);

}  // namespace stemma
