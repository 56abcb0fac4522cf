// How are moments of a stream of doubles found without holding the tensor and without caring how it is cut?
#include "analyzers/numerics/block_moments.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/moment_sums.hpp"

namespace stemma {

namespace {

constexpr std::size_t group_elements = 1024;

/// Calls use(group) for groups of 1,024 values and the rest.
template <class Use>
void for_each_group(std::span<const double> values, const Use& use) {
  for (std::size_t i = 0; i < values.size(); i += group_elements)
    use(values.subspan(i, std::min(group_elements, values.size() - i)));
}

}  // namespace

CentralSums merged(const CentralSums& a, const CentralSums& b) {
  if (a.n == 0) return b;
  if (b.n == 0) return a;
  const double na = static_cast<double>(a.n);
  const double nb = static_cast<double>(b.n);
  const double n = na + nb;
  const double d = b.mean - a.mean;
  const double wa = na / n;
  const double wb = nb / n;
  CentralSums out;
  out.n = a.n + b.n;
  out.mean = a.mean + d * wb;
  out.m2 = a.m2 + b.m2 + d * d * na * wb;
  out.m3 = a.m3 + b.m3 + d * d * d * na * wb * (wa - wb) + 3 * d * (wa * b.m2 - wb * a.m2);
  out.m4 = a.m4 + b.m4 + d * d * d * d * na * wb * (wa * wa - wa * wb + wb * wb) +
           6 * d * d * (wa * wa * b.m2 + wb * wb * a.m2) + 4 * d * (wa * b.m3 - wb * a.m3);
  out.square_sum = a.square_sum + b.square_sum;
  out.absolute_sum = a.absolute_sum + b.absolute_sum;
  return out;
}

CentralSums two_pass(std::span<const double> values) {
  CentralSums sums;
  sums.n = values.size();
  if (values.empty()) return sums;
  const double n = static_cast<double>(sums.n);
  ExactSum plain, square, magnitude;
  for_each_group(values, [&](std::span<const double> group) {
    const RawSums raw = raw_sums(group);
    plain.add(raw.values);
    square.add(raw.squares);
    magnitude.add(raw.magnitudes);
  });
  sums.mean = plain.value() / n;
  sums.square_sum = square.value();
  sums.absolute_sum = magnitude.value();
  ExactSum first, second, third, fourth;
  for_each_group(values, [&](std::span<const double> group) {
    const PowerSums power = power_sums(group, sums.mean);
    first.add(power.first);
    second.add(power.second);
    third.add(power.third);
    fourth.add(power.fourth);
  });
  sums.m2 = std::max(0.0, second.value() - first.value() * first.value() / n);
  sums.m3 = third.value();
  sums.m4 = fourth.value();
  return sums;
}

void BlockMoments::add(std::span<const double> values) {
  while (!values.empty()) {
    const std::size_t taken = std::min(values.size(), block_elements - filled_);
    const std::span<const double> some = values.first(taken);
    if (all_finite(some)) {
      finite_.insert(finite_.end(), some.begin(), some.end());
    } else {
      std::copy_if(some.begin(), some.end(), std::back_inserter(finite_),
                   [](double x) { return std::isfinite(x); });
    }
    filled_ += taken;
    values = values.subspan(taken);
    if (filled_ == block_elements) close_block();
  }
}

void BlockMoments::close_block() {
  stack_.push_back({0, two_pass(finite_)});
  finite_.clear();
  filled_ = 0;
  while (stack_.size() > 1 && stack_[stack_.size() - 2].height == stack_.back().height) {
    const Subtree right = stack_.back();
    stack_.pop_back();
    stack_.back() = {right.height + 1, merged(stack_.back().sums, right.sums)};
  }
}

CentralSums BlockMoments::finish() {
  if (filled_ > 0) close_block();
  CentralSums total;
  for (; !stack_.empty(); stack_.pop_back()) total = merged(stack_.back().sums, total);
  return total;
}

}  // namespace stemma
