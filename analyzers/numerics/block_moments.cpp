// How are moments of a stream of doubles found without holding the tensor and without caring how it is cut?
#include "analyzers/numerics/block_moments.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analyzers/numerics/exact_sum.hpp"

namespace stemma {

namespace {

constexpr std::size_t group_elements = 1024;
constexpr std::size_t lanes = 8;  // independent partial sums; part of the definition, not of the hardware

/// Adds f(x) of one group in eight lanes, then the lanes in order.
template <typename F>
double group_sum(std::span<const double> group, F f) {
  std::array<double, lanes> lane{};
  const std::size_t whole = group.size() / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes) {
    for (std::size_t l = 0; l < lanes; ++l) lane[l] += f(group[i + l]);
  }
  for (std::size_t i = whole; i < group.size(); ++i) lane[i - whole] += f(group[i]);
  double sum = 0;
  for (const double x : lane) sum += x;
  return sum;
}

template <typename F>
double sum_of(std::span<const double> values, F f) {
  ExactSum total;
  for (std::size_t i = 0; i < values.size(); i += group_elements) {
    total.add(group_sum(values.subspan(i, std::min(group_elements, values.size() - i)), f));
  }
  return total.value();
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
  sums.mean = sum_of(values, [](double x) { return x; }) / n;
  sums.square_sum = sum_of(values, [](double x) { return x * x; });
  sums.absolute_sum = sum_of(values, [](double x) { return std::abs(x); });
  const double mean = sums.mean;
  const double m1 = sum_of(values, [mean](double x) { return x - mean; });
  const double m2 = sum_of(values, [mean](double x) { return (x - mean) * (x - mean); });
  sums.m2 = std::max(0.0, m2 - m1 * m1 / n);
  sums.m3 = sum_of(values, [mean](double x) { return (x - mean) * (x - mean) * (x - mean); });
  sums.m4 = sum_of(values, [mean](double x) {
    const double square = (x - mean) * (x - mean);
    return square * square;
  });
  return sums;
}

void BlockMoments::add(std::span<const double> values) {
  while (!values.empty()) {
    const std::size_t taken = std::min(values.size(), block_elements - filled_);
    for (const double x : values.first(taken)) {
      if (std::isfinite(x)) finite_.push_back(x);
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
