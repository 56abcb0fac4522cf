// Under which names do histogram and moments stand in features?
#include <bit>

#include "analyzers/content_hash.hpp"
#include "analyzers/histogram.hpp"
#include "analyzers/tensor_marks.hpp"

namespace stemma {

namespace {

struct CountField {
  const char* name;
  std::uint64_t Moments::*member;
};
struct NumberField {
  const char* name;
  double Moments::*member;
};

constexpr CountField count_fields[] = {
    {"n", &Moments::n},
    {"n_nan", &Moments::n_nan},
    {"n_pos_inf", &Moments::n_pos_inf},
    {"n_neg_inf", &Moments::n_neg_inf},
    {"n_pos_zero", &Moments::n_pos_zero},
    {"n_neg_zero", &Moments::n_neg_zero},
    {"n_subnormal", &Moments::n_subnormal},
    {"n_positive", &Moments::n_positive},
    {"n_negative", &Moments::n_negative},
    {"n_distinct", &Moments::n_distinct},
};
constexpr NumberField number_fields[] = {
    {"mean", &Moments::mean},
    {"variance", &Moments::variance},
    {"std_unbiased", &Moments::std_unbiased},
    {"skewness", &Moments::skewness},
    {"kurtosis_excess", &Moments::kurtosis_excess},
    {"frobenius_sq", &Moments::frobenius_sq},
    {"l1", &Moments::l1},
    {"min", &Moments::min},
    {"max", &Moments::max},
    {"abs_max", &Moments::abs_max},
    {"abs_min_nonzero", &Moments::abs_min_nonzero},
    {"entropy_bits", &Moments::entropy_bits},
};

std::vector<std::uint64_t> integers_in(const Features& features, const char* name) {
  const auto found = features.integers.find(name);
  return found == features.integers.end() ? std::vector<std::uint64_t>{} : found->second;
}

/// Adds integers in little-endian order.
template <typename T>
void add(ContentHash& hash, const std::vector<T>& values) {
  static_assert(std::endian::native == std::endian::little);
  hash.add(std::as_bytes(std::span(values)));
}

}  // namespace

Hash128 digest_of(const Histogram& histogram) {
  if (histogram.code.empty() || histogram.kind == HistogramKind::f64_top16) return {};
  ContentHash hash;
  add(hash, histogram.code);
  add(hash, histogram.count);
  add(hash, histogram.low_sum);
  add(hash, histogram.low_square_sum);
  return hash.finish();
}

Features features_of(const Statistics& statistics) {
  const auto& [histogram, moments] = statistics;
  Features out;
  for (const auto& [name, member] : count_fields) out.counts[name] = moments.*member;
  for (const auto& [name, member] : number_fields) out.numbers[name] = moments.*member;
  out.counts["exactness"] = static_cast<std::uint64_t>(moments.exactness);
  out.reals["quantile"] = {moments.quantile.begin(), moments.quantile.end()};
  if (moments.finite() != moments.n) out.status = Status::nonfinite;
  const Hash128 digest = digest_of(histogram);
  out.counts["digest_hi"] = digest.hi;
  out.counts["digest_lo"] = digest.lo;
  if (TensorStatistics::has_histogram(histogram.dtype)) {
    out.counts["kind"] = static_cast<std::uint64_t>(histogram.kind);
    out.integers["code"] = {histogram.code.begin(), histogram.code.end()};
    out.integers["count"] = histogram.count;
  }
  if (histogram.kind == HistogramKind::f32_top16 && histogram.low_sum.size() == histogram.code.size()) {
    out.integers["low_sum"] = histogram.low_sum;
    out.integers["low_square_sum"] = histogram.low_square_sum;
  }
  return out;
}

std::optional<Histogram> histogram_of(const Features& features, Dtype dtype) {
  const auto kind = features.counts.find("kind");
  if (kind == features.counts.end()) return std::nullopt;
  Histogram out;
  out.kind = static_cast<HistogramKind>(kind->second);
  out.dtype = dtype;
  for (const std::uint64_t code : integers_in(features, "code"))
    out.code.push_back(static_cast<std::uint16_t>(code));
  out.count = integers_in(features, "count");
  out.low_sum = integers_in(features, "low_sum");
  out.low_square_sum = integers_in(features, "low_square_sum");
  return out;
}

Moments moments_of(const Features& features) {
  Moments out;
  for (const auto& [name, member] : count_fields) out.*member = count_in(features, name);
  for (const auto& [name, member] : number_fields) out.*member = number_in(features, name);
  out.exactness = static_cast<Exactness>(count_in(features, "exactness"));
  out.quantile.fill(Moments::none);
  const auto found = features.reals.find("quantile");
  if (found != features.reals.end() && found->second.size() == out.quantile.size()) {
    std::copy(found->second.begin(), found->second.end(), out.quantile.begin());
  }
  return out;
}

std::vector<std::string> check_histogram(const Features& features, Dtype dtype) {
  const std::optional<Histogram> histogram = histogram_of(features, dtype);
  if (!histogram) return {};
  const std::size_t bins = histogram->code.size();
  const auto fits = [bins](const std::vector<std::uint64_t>& lows) {
    return lows.empty() || lows.size() == bins;
  };
  if (histogram->count.size() != bins || !fits(histogram->low_sum) || !fits(histogram->low_square_sum)) {
    return {"count: codes and counts differ in number"};
  }
  for (std::size_t i = 1; i < bins; ++i) {
    if (histogram->code[i - 1] >= histogram->code[i]) return {"code: not ascending"};
  }
  const unsigned bits = bits_of(dtype);
  const HistogramKind expected = bits == 16   ? HistogramKind::code16
                                 : bits == 8  ? HistogramKind::code8
                                 : bits == 32 ? HistogramKind::f32_top16
                                              : HistogramKind::f64_top16;
  if (histogram->kind != expected || !TensorStatistics::has_histogram(dtype)) {
    return {"kind: does not belong to the tensor's type"};
  }
  std::vector<std::string> complaints = check_moments(*histogram, moments_of(features));
  const Hash128 digest = digest_of(*histogram);
  if (digest != Hash128{count_in(features, "digest_hi"), count_in(features, "digest_lo")}) {
    complaints.emplace_back("digest: does not belong to the stored codes and counts");
  }
  return complaints;
}

}  // namespace stemma
