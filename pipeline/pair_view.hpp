// What are the few things that tables and pages say about a pair?
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include "io/archive/evidence.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// The row that stands for a whole test; nullptr when the test was not made.
inline const Evidence* headline(const Pair& pair, std::string_view method) {
  const auto row = std::find_if(pair.evidence.begin(), pair.evidence.end(),
                                [&](const Evidence& e) { return e.method == method && e.role.empty(); });
  return row == pair.evidence.end() ? nullptr : &*row;
}

/// Whether these claims, or one model, name the other as base.
inline bool declares(const std::vector<Claim>& claims, const std::string& parent) {
  return std::any_of(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.base == parent; });
}
inline bool declares(const Fingerprint& child, const Fingerprint& parent) {
  return declares(child.declared, parent.id);
}

/// "ABSTAIN(no_valid_null)": the class and, where it abstains, why.
inline std::string relation_words(const Pair& pair) {
  std::string words(name_of(pair.relation));
  if (!pair.reason.empty()) words += "(" + printable(pair.reason) + ")";
  return words;
}

/// Which of a model and its relative came first, as ModelVerdict::direction knows it.
inline std::string_view descent_words(int direction) {
  return direction > 0 ? "from_relative" : direction < 0 ? "to_relative" : "unknown";
}

}  // namespace stemma
