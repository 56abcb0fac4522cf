// What is to be said about a pickle: which names it imports, and what stopped the reading?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/formats/limits.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// Collects the names and findings of one pickle. A name that would run code outweighs every other fault:
/// unpicklers run it before they meet the fault.
class PickleReport {
 public:
  /// Offsets given below count from `begin` on in `file_name`.
  PickleReport(std::uint64_t begin, std::string file_name)
      : begin_(begin), file_name_(std::move(file_name)) {}

  /// What is said next is about the opcode at this byte of the stream.
  void move_to(std::uint64_t position) { at_ = position; }
  /// A global name was met.
  void met(const std::string& name) {
    globals_.try_emplace(name, at_);
    if (globals_.size() > limits::pickle_globals) refuse("limit", "too many different names");
  }
  void add(Severity severity, std::string rule, std::string found, std::string hint);

  /// Throws InvalidInput: "pickle." and the rule, or unexpected_global.
  [[noreturn]] void refuse(std::string_view rule, std::string found, std::string expected = "",
                           std::string hint = "") const;

  /// All findings, with pickle.globals, the sorted list of all names, and unexpected_global for each that
  /// torch does not write. Throws InvalidInput (unexpected_global) when one would run code.
  std::vector<Finding> finish();

 private:
  void require_harmless() const;
  /// The names in one text, cut where strangers wrote too many.
  std::string all_names() const;

  std::uint64_t begin_;
  std::uint64_t at_ = 0;
  std::string file_name_;
  std::map<std::string, std::uint64_t> globals_;  ///< with the offset of the first occurrence
  std::vector<Finding> findings_;
};

}  // namespace stemma
