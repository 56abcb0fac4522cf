// What of the places on a machine is told to others?
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// Shortens absolute paths in what is written for others: "/proj/a/models/llama" becomes "…/models/llama",
/// and of a path below somebody's home directory his name goes as well. Relative paths, addresses
/// (https://...) and everything else stay. A path ends before a blank, a quote, a bracket or , ; | < > and,
/// where a colon ends a word, before that; so a path that holds such characters is only found whole when it
/// was made known.
class Redaction {
 public:
  /// Changes nothing.
  Redaction() = default;
  /// `known`: paths that may stand in texts, each with all directories that it lies in.
  explicit Redaction(const std::vector<std::string>& known);

  bool active() const { return active_; }
  std::string operator()(std::string_view text) const;

 private:
  std::size_t end_of_path(std::string_view text, std::size_t begin) const;

  bool active_ = false;
  std::set<std::string, std::less<>> awkward_;  ///< known paths that do not end where others do
};

}  // namespace stemma
