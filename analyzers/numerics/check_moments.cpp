// Do stored moments follow from the stored histogram, bit by bit?
#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "analyzers/numerics/float_bins.hpp"

namespace stemma {

namespace {

/// Collects disagreements; two NaN agree whatever their payload.
class Comparison {
 public:
  void same(const char* name, double recomputed, double stored) {
    const bool agree = std::bit_cast<std::uint64_t>(recomputed) == std::bit_cast<std::uint64_t>(stored) ||
                       (std::isnan(recomputed) && std::isnan(stored));
    if (!agree)
      complaints_.push_back(
          fmt::format("{}: {} follows from the counts, {} is stored", name, recomputed, stored));
  }
  void same(const char* name, std::uint64_t recomputed, std::uint64_t stored) {
    if (recomputed != stored) {
      complaints_.push_back(
          fmt::format("{}: {} follows from the counts, {} is stored", name, recomputed, stored));
    }
  }
  void add(std::string complaint) { complaints_.push_back(std::move(complaint)); }
  std::vector<std::string> take() { return std::move(complaints_); }

 private:
  std::vector<std::string> complaints_;
};

void compare_sums(const Moments& recomputed, const Moments& stored, bool higher, Comparison& out) {
  out.same("mean", recomputed.mean, stored.mean);
  out.same("variance", recomputed.variance, stored.variance);
  out.same("std_unbiased", recomputed.std_unbiased, stored.std_unbiased);
  out.same("frobenius_sq", recomputed.frobenius_sq, stored.frobenius_sq);
  out.same("l1", recomputed.l1, stored.l1);
  if (!higher) return;
  out.same("skewness", recomputed.skewness, stored.skewness);
  out.same("kurtosis_excess", recomputed.kurtosis_excess, stored.kurtosis_excess);
}

void compare_bins(const Moments& recomputed, const Moments& stored, Comparison& out) {
  out.same("entropy_bits", recomputed.entropy_bits, stored.entropy_bits);
  out.same("n_distinct", recomputed.n_distinct, stored.n_distinct);
  for (std::size_t i = 0; i < stored.quantile.size(); ++i)
    out.same("quantile", recomputed.quantile[i], stored.quantile[i]);
}

/// f32 and f64: bins know sums (f32) and brackets, not the values themselves.
void compare_binned(const Histogram& histogram, const Moments& stored, Comparison& out) {
  std::uint64_t n = 0;
  for (const std::uint64_t c : histogram.count) n += c;
  out.same("n", n, stored.n);
  Moments recomputed = stored;
  fill_from_bins(histogram, recomputed);
  compare_bins(recomputed, stored, out);
  const auto inside = [&](const char* name, double x) {
    for (const std::uint16_t code : histogram.code) {
      const Bracket bracket = bracket_of(histogram.kind, code);
      if (bracket.low <= x && x <= bracket.high) return;
    }
    if (stored.finite() > 0) out.add(fmt::format("{}: {} lies in no occupied bin", name, x));
  };
  inside("min", stored.min);
  inside("max", stored.max);
  if (histogram.kind != HistogramKind::f32_top16 || histogram.low_sum.size() != histogram.code.size()) return;
  CentralSums sums = integer_sums(histogram);
  if (stored.min == stored.max) {
    sums.mean = stored.min;
    sums.m2 = sums.m3 = sums.m4 = 0;
  }
  fill_from_sums(sums, recomputed);
  compare_sums(recomputed, stored, stored.exactness == Exactness::f32_integer, out);
}

}  // namespace

std::vector<std::string> check_moments(const Histogram& histogram, const Moments& stored) {
  Comparison out;
  if (histogram.kind == HistogramKind::f32_top16 || histogram.kind == HistogramKind::f64_top16) {
    compare_binned(histogram, stored, out);
    return out.take();
  }
  const Moments m = moments_of(histogram);
  out.same("n", m.n, stored.n);
  out.same("n_nan", m.n_nan, stored.n_nan);
  out.same("n_pos_inf", m.n_pos_inf, stored.n_pos_inf);
  out.same("n_neg_inf", m.n_neg_inf, stored.n_neg_inf);
  out.same("n_pos_zero", m.n_pos_zero, stored.n_pos_zero);
  out.same("n_neg_zero", m.n_neg_zero, stored.n_neg_zero);
  out.same("n_subnormal", m.n_subnormal, stored.n_subnormal);
  out.same("n_positive", m.n_positive, stored.n_positive);
  out.same("n_negative", m.n_negative, stored.n_negative);
  compare_bins(m, stored, out);
  compare_sums(m, stored, true, out);
  out.same("min", m.min, stored.min);
  out.same("max", m.max, stored.max);
  out.same("abs_max", m.abs_max, stored.abs_max);
  out.same("abs_min_nonzero", m.abs_min_nonzero, stored.abs_min_nonzero);
  return out.take();
}

}  // namespace stemma
