// How do several ranks fail together, in one sentence?
#pragma once
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "analyzers/distributed/communicator.hpp"

namespace stemma {

/// What a rank that did not fail itself throws when another one did, for exceptions that have no fields of
/// their own.
class FailedElsewhere : public std::runtime_error {
 public:
  FailedElsewhere(int rank, const std::string& sentence) : std::runtime_error(sentence), rank_(rank) {}
  int rank() const { return rank_; }

 private:
  int rank_;
};

/// Collective. Agrees on whether any rank failed; when one did, every rank throws: the first failing rank
/// what it caught, the others the same InvalidInput or ConfigProblems with all fields, or FailedElsewhere
/// with the sentence. `what` names the step ("reading layers/17/attn.q").
void agree(const Communicator& team, std::string_view what, const std::exception_ptr& mine);

/// Collective. Runs local work that may throw, then agrees: either every rank has its result, or every rank
/// throws. Nothing inside `work` may communicate.
template <class Work>
auto in_unison(const Communicator& team, std::string_view what, Work&& work) -> std::invoke_result_t<Work> {
  std::exception_ptr failure;
  if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
    try {
      std::forward<Work>(work)();
    } catch (...) {
      failure = std::current_exception();
    }
    agree(team, what, failure);
  } else {
    std::optional<std::invoke_result_t<Work>> result;
    try {
      result.emplace(std::forward<Work>(work)());
    } catch (...) {
      failure = std::current_exception();
    }
    agree(team, what, failure);
    return std::move(*result);
  }
}

}  // namespace stemma
