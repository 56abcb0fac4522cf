// How are a million odd tensors told in a few findings?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// Findings of one rule about alike things become one finding, the first, with the number of the others. A
/// rule with more than 100 unlike findings keeps 100 and one that says how many were left out.
class FindingLedger {
 public:
  explicit FindingLedger(const Checkpoint& checkpoint) : checkpoint_(&checkpoint) {}

  /// `group` says what counts as alike. `finding` needs no file: it is that of `tensor`.
  void add(Finding finding, const std::string& group, std::optional<std::uint32_t> tensor = std::nullopt);

  /// Sorted by file, offset, tensor and rule.
  std::vector<Finding> finish();

 private:
  struct Line {
    Finding finding;
    std::uint64_t others = 0;
  };
  struct Rule {
    std::map<std::string, Line> lines;
    std::uint64_t left_out = 0;
  };
  const Checkpoint* checkpoint_;
  std::map<std::string, Rule> rules_;
};

}  // namespace stemma
