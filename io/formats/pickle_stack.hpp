// Which values wait for the next opcode of a pickle, and where do groups of them begin?
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <vector>

#include "io/formats/limits.hpp"
#include "io/formats/pickle_graph.hpp"
#include "io/formats/pickle_report.hpp"

namespace stemma {

/// References and marks. Nothing below the last mark can be taken. Throws what PickleReport::refuse throws:
/// pickle.stack_underflow, pickle.mark_missing, pickle.limit, pickle.result.
class PickleStack {
 public:
  explicit PickleStack(const PickleReport& report) : report_(report) {}

  void push(PickleRef ref) {
    require_room();
    values_.push_back(ref);
  }
  void mark() {
    require_room();
    marks_.push_back(values_.size());
  }

  PickleRef top() const { return top(1).front(); }
  std::span<const PickleRef> top(std::size_t count) const {
    if (values_.size() < floor() + count)
      report_.refuse("stack_underflow", "fewer values than the opcode needs");
    return std::span(values_).last(count);
  }
  PickleRef pop() {
    const PickleRef ref = top();
    values_.pop_back();
    return ref;
  }
  void drop(std::size_t count) { values_.resize(values_.size() - count); }
  void pop_or_mark() {
    if (!marks_.empty() && values_.size() == marks_.back())
      marks_.pop_back();
    else
      pop();
  }

  /// The values above the last mark, which goes away; they stay until drop_above_mark().
  std::span<const PickleRef> above_mark() {
    if (marks_.empty()) report_.refuse("mark_missing", "no mark below");
    kept_ = marks_.back();
    marks_.pop_back();
    return std::span(values_).subspan(kept_);
  }
  /// The value under the mark that above_mark() took.
  PickleRef below_mark() const {
    if (kept_ <= floor()) report_.refuse("stack_underflow", "no value below the mark");
    return values_[kept_ - 1];
  }
  void drop_above_mark() { values_.resize(kept_); }

  /// The one value that a pickle leaves.
  PickleRef only() const {
    if (values_.size() != 1 || !marks_.empty())
      report_.refuse("result", fmt::format("{} values", values_.size()), "one");
    return values_.front();
  }

 private:
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void require_room() const {
    if (values_.size() + marks_.size() >= limits::pickle_stack) report_.refuse("limit", "too deep a stack");
  }

  const PickleReport& report_;
  std::vector<PickleRef> values_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::size_t kept_ = 0;
};

}  // namespace stemma
