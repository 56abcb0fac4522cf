// Added up one by one, in their order, so that no cut shows in the sum.
#include "analyzers/code_distances.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace stemma {

void CodeDistances::take_stored(std::size_t, std::span<const std::byte> bytes) {
  if (cut_bytes_ > 0) {
    const std::size_t wanted = std::min(cut_.size() - cut_bytes_, bytes.size());
    std::ranges::copy(bytes.first(wanted), cut_.begin() + static_cast<std::ptrdiff_t>(cut_bytes_));
    cut_bytes_ += wanted;
    bytes = bytes.subspan(wanted);
    if (cut_bytes_ < cut_.size()) return;
    add(cut_);
    cut_bytes_ = 0;
  }
  const std::size_t whole = bytes.size() / sizeof(float) * sizeof(float);
  add(bytes.first(whole));
  std::ranges::copy(bytes.subspan(whole), cut_.begin());
  cut_bytes_ = bytes.size() - whole;
}

void CodeDistances::add(std::span<const std::byte> values) {
  for (std::size_t at = 0; at < values.size(); at += sizeof(float)) {
    float stored = 0;
    std::memcpy(&stored, values.data() + at, sizeof stored);
    ++n_;
    if (!std::isfinite(stored)) continue;
    ++finite_;
    const double half = stored;
    largest_ = std::max(largest_, half);
    squares_.add(half * half);
  }
}

Features CodeDistances::finish() {
  Features out;
  if (finite_ < n_) out.status = Status::nonfinite;
  out.counts["n"] = n_;
  out.numbers["largest"] = largest_;
  out.numbers["root_mean_square"] =
      finite_ > 0 ? std::sqrt(squares_.value() / static_cast<double>(finite_)) : 0;
  return out;
}

}  // namespace stemma
