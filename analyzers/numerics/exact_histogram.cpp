// What can be said about a tensor when only the multiset of its values is kept?
#include "analyzers/numerics/exact_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/histogram_parts.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

/// Values of the occupied codes, in the order of Histogram::code.
std::vector<double> values_of(const Histogram& histogram) {
  std::vector<double> values(histogram.code.size());
  if (histogram.kind == HistogramKind::code16) {
    widen(histogram.dtype, std::as_bytes(std::span(histogram.code)), values);
  } else {
    const std::vector<std::uint8_t> codes(histogram.code.begin(), histogram.code.end());
    widen(histogram.dtype, std::as_bytes(std::span(codes)), values);
  }
  return values;
}

/// Counts a bin into the class of its value; true when the value is finite.
bool classify(double value, std::uint64_t count, double normal, Moments& moments) {
  moments.n += count;
  if (std::isnan(value)) {
    moments.n_nan += count;
    return false;
  }
  if (std::isinf(value)) {
    (value > 0 ? moments.n_pos_inf : moments.n_neg_inf) += count;
    return false;
  }
  if (value == 0) {
    (std::signbit(value) ? moments.n_neg_zero : moments.n_pos_zero) += count;
    return true;
  }
  (value > 0 ? moments.n_positive : moments.n_negative) += count;
  if (std::abs(value) < normal) moments.n_subnormal += count;
  return true;
}

CentralSums central_sums(std::span<const double> values, std::span<const std::uint64_t> counts,
                         std::span<const std::size_t> finite) {
  CentralSums sums;
  ExactSum s1, s2, absolute;
  for (const std::size_t i : finite) {
    const double c = static_cast<double>(counts[i]);
    sums.n += counts[i];
    s1.add(c * values[i]);
    s2.add(c * (values[i] * values[i]));
    absolute.add(c * std::abs(values[i]));
  }
  const double n = static_cast<double>(sums.n);
  sums.mean = s1.value() / n;
  sums.square_sum = s2.value();
  sums.absolute_sum = absolute.value();
  ExactSum d1, d2, d3, d4;
  for (const std::size_t i : finite) {
    const double c = static_cast<double>(counts[i]);
    const double d = values[i] - sums.mean;
    const double square = d * d;
    d1.add(c * d);
    d2.add(c * square);
    d3.add(c * (square * d));
    d4.add(c * (square * square));
  }
  sums.m2 = std::max(0.0, d2.value() - d1.value() * d1.value() / n);
  sums.m3 = d3.value();
  sums.m4 = d4.value();
  return sums;
}

}  // namespace

Moments moments_of(const Histogram& histogram) {
  if (histogram.kind != HistogramKind::code16 && histogram.kind != HistogramKind::code8) {
    throw std::invalid_argument("moments_of needs a histogram of whole codes");
  }
  keep_subnormals();
  const std::vector<double> values = values_of(histogram);
  const double normal = smallest_normal(histogram.dtype);

  Moments moments;
  moments.quantile.fill(Moments::none);
  moments.entropy_bits = entropy_of(histogram.count);
  std::vector<std::size_t> finite;  // ascending bit pattern, as the histogram is
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (classify(values[i], histogram.count[i], normal, moments)) finite.push_back(i);
  }
  moments.n_distinct = finite.size();
  if (finite.empty()) return moments;
  fill_from_sums(central_sums(values, histogram.count, finite), moments);

  std::sort(finite.begin(), finite.end(), [&](std::size_t a, std::size_t b) {
    if (values[a] != values[b]) return values[a] < values[b];
    return std::signbit(values[a]) && !std::signbit(values[b]);  // -0 directly before +0
  });
  moments.min = values[finite.front()];
  moments.max = values[finite.back()];
  moments.abs_max = std::max(std::abs(moments.min), std::abs(moments.max));
  for (const std::size_t i : finite) {
    const double magnitude = std::abs(values[i]);
    if (magnitude > 0 && !(moments.abs_min_nonzero <= magnitude)) moments.abs_min_nonzero = magnitude;
  }
  const auto bins = quantile_bins(histogram.count, finite, moments.finite());
  for (std::size_t i = 0; i < bins.size(); ++i) moments.quantile[i] = values[bins[i]];
  return moments;
}

Histogram merged(const Histogram& a, const Histogram& b) {
  if (a.kind != b.kind || a.dtype != b.dtype) {
    throw std::invalid_argument("histograms of different types cannot be merged");
  }
  const bool lows = a.low_sum.size() == a.code.size() && b.low_sum.size() == b.code.size() &&
                    a.kind == HistogramKind::f32_top16;
  const auto sum = [](std::uint64_t x, std::uint64_t y) {
    std::uint64_t total = 0;
    if (__builtin_add_overflow(x, y, &total)) throw std::overflow_error("histogram count exceeds 64 bits");
    return total;
  };
  Histogram out;
  out.kind = a.kind;
  out.dtype = a.dtype;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.code.size() || j < b.code.size()) {
    const bool from_a = j == b.code.size() || (i < a.code.size() && a.code[i] <= b.code[j]);
    const bool from_b = i == a.code.size() || (j < b.code.size() && b.code[j] <= a.code[i]);
    out.code.push_back(from_a ? a.code[i] : b.code[j]);
    const auto merge = [&](const std::vector<std::uint64_t>& x, const std::vector<std::uint64_t>& y) {
      return sum(from_a ? x[i] : 0, from_b ? y[j] : 0);
    };
    out.count.push_back(merge(a.count, b.count));
    if (lows) {
      out.low_sum.push_back(merge(a.low_sum, b.low_sum));
      out.low_square_sum.push_back(merge(a.low_square_sum, b.low_square_sum));
    }
    i += from_a ? 1 : 0;
    j += from_b ? 1 : 0;
  }
  return out;
}

double smallest_normal(Dtype dtype) {
  switch (dtype) {
    case Dtype::f16:
    case Dtype::f8_e5m2:
      return 0x1p-14;
    case Dtype::bf16:
    case Dtype::f32:
      return 0x1p-126;
    case Dtype::f64:
      return 0x1p-1022;
    case Dtype::f8_e4m3:
      return 0x1p-6;
    case Dtype::f8_e4m3fnuz:
      return 0x1p-7;
    case Dtype::f8_e5m2fnuz:
      return 0x1p-15;
    default:
      return 0;
  }
}

}  // namespace stemma
