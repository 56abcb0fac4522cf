// What do 32- and 64-bit floats keep when 2^32 codes are too many: bins by the top 16 bits?
#include "analyzers/numerics/float_bins.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "analyzers/numerics/exact_sum.hpp"
#include "analyzers/numerics/float_scan.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t bins_in_all = 65536;

struct Unit {
  double sign;
  double unit;        ///< spacing of the values of the bin
  std::uint64_t top;  ///< value of the first one, in units
};

Unit unit_of_f32_bin(std::uint16_t code) {
  const unsigned exponent = code >> 7U & 0xFFU;
  const std::uint64_t mantissa = code & 0x7FU;
  return {(code & 0x8000U) != 0 ? -1.0 : 1.0, std::ldexp(1.0, static_cast<int>(std::max(exponent, 1U)) - 150),
          (mantissa + (exponent > 0 ? 128U : 0U)) << 16U};
}

bool finite_bin(HistogramKind kind, std::uint16_t code) {
  return kind == HistogramKind::f32_top16 ? (code & 0x7F80U) != 0x7F80U : (code & 0x7FF0U) != 0x7FF0U;
}

/// Of floats with at least one zero.
float first_zero_of(std::span<const std::byte> bytes) {
  float x = 1;
  for (std::size_t at = 0; x != 0; at += sizeof x) std::memcpy(&x, bytes.data() + at, sizeof x);
  return x;
}

/// Position of a bin in ascending value order: codes are sign and magnitude.
std::uint32_t value_key(std::uint32_t code) {
  return (code & 0x8000U) != 0 ? 0xFFFFU - code : code + 0x8000U;
}

}  // namespace

CentralSums integer_sums(const Histogram& h) {
  CentralSums sums;
  ExactSum s1, s2, absolute;
  const auto each_bin = [&](auto&& use) {
    for (std::size_t i = 0; i < h.code.size(); ++i) {
      if (!finite_bin(h.kind, h.code[i])) continue;
      const Unit u = unit_of_f32_bin(h.code[i]);
      use(i, u, static_cast<double>(Wide{h.count[i]} * u.top + h.low_sum[i]) * u.unit);
    }
  };
  each_bin([&](std::size_t i, const Unit& u, double magnitude) {
    const Wide squares =
        Wide{h.count[i]} * u.top * u.top + Wide{2} * u.top * h.low_sum[i] + h.low_square_sum[i];
    sums.n += h.count[i];
    s1.add(u.sign * magnitude);
    absolute.add(magnitude);
    s2.add(static_cast<double>(squares) * u.unit * u.unit);
  });
  if (sums.n == 0) return sums;
  const double n = static_cast<double>(sums.n);
  sums.mean = s1.value() / n;
  sums.square_sum = s2.value();
  sums.absolute_sum = absolute.value();
  ExactSum d1, d2, d3, d4;
  each_bin([&](std::size_t i, const Unit& u, double magnitude) {
    const double c = static_cast<double>(h.count[i]);
    const Wide spread = Wide{h.count[i]} * h.low_square_sum[i] - Wide{h.low_sum[i]} * h.low_sum[i];
    const double v = static_cast<double>(spread) / c / c * u.unit * u.unit;
    const double d = u.sign * magnitude / c - sums.mean;
    d1.add(c * d);
    d2.add(c * (d * d + v));
    d3.add(c * (d * d * d + 3 * d * v));
    d4.add(c * (d * d * d * d + 6 * (d * d) * v + 3 * (v * v)));
  });
  sums.m2 = std::max(0.0, d2.value() - d1.value() * d1.value() / n);
  sums.m3 = d3.value();
  sums.m4 = d4.value();
  return sums;
}

Bracket bracket_of(HistogramKind kind, std::uint16_t code) {
  double inner = 0;
  double outer = 0;
  if (kind == HistogramKind::f32_top16) {
    const std::uint32_t first = static_cast<std::uint32_t>(code) << 16U;
    inner = static_cast<double>(std::bit_cast<float>(first));
    outer = static_cast<double>(std::bit_cast<float>(first | 0xFFFFU));
  } else {
    const std::uint64_t first = static_cast<std::uint64_t>(code) << 48U;
    inner = std::bit_cast<double>(first);
    outer = std::bit_cast<double>(first | 0xFFFFFFFFFFFFU);
  }
  return {std::min(inner, outer), std::max(inner, outer)};
}

bool bins_too_wide(const Histogram& h, double std_unbiased) {
  double widest = 0;
  for (const std::uint16_t code : h.code) {
    if (finite_bin(h.kind, code)) widest = std::max(widest, unit_of_f32_bin(code).unit * 65536);
  }
  return !(std_unbiased >= 32 * widest);
}

void fill_from_bins(const Histogram& h, Moments& moments) {
  std::vector<std::size_t> finite;
  for (std::size_t i = 0; i < h.code.size(); ++i) {
    if (finite_bin(h.kind, h.code[i])) finite.push_back(i);
  }
  moments.entropy_bits = entropy_of(h.count);
  moments.n_distinct = finite.size();
  moments.quantile.fill(Moments::none);
  if (finite.empty()) return;
  if (finite.size() == 1 && moments.min != moments.max) moments.n_distinct = 2;
  std::sort(finite.begin(), finite.end(),
            [&](std::size_t a, std::size_t b) { return value_key(h.code[a]) < value_key(h.code[b]); });
  const auto bins = quantile_bins(h.count, finite, moments.finite());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    moments.quantile[i] = std::clamp(bracket_of(h.kind, h.code[bins[i]]).low, moments.min, moments.max);
  }
  moments.quantile.front() = moments.min;
  moments.quantile.back() = moments.max;
}

FloatBins::FloatBins(Dtype dtype, std::uint64_t flush_after)
    : dtype_(dtype), width_(bits_of(dtype) / 8), flush_after_(flush_after), bins_(bins_in_all) {
  if (dtype != Dtype::f32 && dtype != Dtype::f64) throw std::invalid_argument("FloatBins takes f32 and f64");
  keep_subnormals();
}

void FloatBins::note(double x) {
  ++seen_.n;
  if (std::isnan(x)) {
    ++seen_.n_nan;
  } else if (std::isinf(x)) {
    ++(x > 0 ? seen_.n_pos_inf : seen_.n_neg_inf);
  } else {
    if (!(seen_.min <= x)) seen_.min = x;
    if (!(seen_.max >= x)) seen_.max = x;
    if (x == 0) {
      ++(std::signbit(x) ? seen_.n_neg_zero : seen_.n_pos_zero);
      return;
    }
    ++(x > 0 ? seen_.n_positive : seen_.n_negative);
    const double magnitude = std::abs(x);
    if (magnitude < smallest_normal(dtype_)) ++seen_.n_subnormal;
    if (!(seen_.abs_min_nonzero <= magnitude)) seen_.abs_min_nonzero = magnitude;
  }
}

void FloatBins::note_floats(std::span<const std::byte> bytes) {
  const FloatScan scan = scan_floats(bytes);
  if (scan.zero > 0 && seen_.n_pos_zero + seen_.n_neg_zero == 0) first_zero_ = first_zero_of(bytes);
  seen_.n += bytes.size() / sizeof(float);
  seen_.n_nan += scan.nan;
  seen_.n_neg_inf += scan.negative_infinite;
  seen_.n_pos_inf += scan.infinite - scan.negative_infinite;
  seen_.n_neg_zero += scan.negative_zero;
  seen_.n_pos_zero += scan.zero - scan.negative_zero;
  seen_.n_negative += scan.negative;
  seen_.n_positive += scan.ordinary - scan.negative;
  seen_.n_subnormal += scan.subnormal;
  if (scan.zero + scan.ordinary > 0) {
    const double least = std::bit_cast<float>(ordered(scan.least));
    const double greatest = std::bit_cast<float>(ordered(scan.greatest));
    if (!(seen_.min <= least)) seen_.min = least;
    if (!(seen_.max >= greatest)) seen_.max = greatest;
    // Zeros of both signs are equal; where one is the end of the range, the first one stands for it.
    if (seen_.min == 0) seen_.min = first_zero_;
    if (seen_.max == 0) seen_.max = first_zero_;
  }
  if (scan.ordinary > 0) {
    const double smallest = std::bit_cast<float>(scan.smallest);
    if (!(seen_.abs_min_nonzero <= smallest)) seen_.abs_min_nonzero = smallest;
  }
}

void FloatBins::add(std::span<const std::byte> bytes) {
  if (bytes.size() % width_ != 0) throw std::invalid_argument("FloatBins: bytes end inside an element");
  std::array<double, 4096> values{};
  while (!bytes.empty()) {
    const std::uint64_t room = std::min<std::uint64_t>(values.size(), flush_after_ - since_flush_);
    const std::size_t taken = std::min<std::uint64_t>(room, bytes.size() / width_);
    const std::span<const std::byte> chunk = bytes.first(taken * width_);
    bytes = bytes.subspan(chunk.size());
    widen(dtype_, chunk, std::span(values).first(taken));
    blocks_.add(std::span(values).first(taken));
    if (dtype_ == Dtype::f32) {
      note_floats(chunk);
      count_floats(chunk);
    } else {
      for (const double x : std::span(values).first(taken)) {
        note(x);
        bins_[std::bit_cast<std::uint64_t>(x) >> 48U].count_and_low += Bin::one;
      }
    }
    since_flush_ += taken;
    if (since_flush_ == flush_after_) flush();
  }
}

void FloatBins::count_floats(std::span<const std::byte> bytes) {
  Bin* const bins = bins_.data();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    std::uint32_t code = 0;
    std::memcpy(&code, bytes.data() + at, sizeof code);
    const std::uint64_t low = code & 0xFFFFU;
    Bin& bin = bins[code >> 16U];
    bin.count_and_low += Bin::one + low;
    bin.low_square += low * low;
  }
}

void FloatBins::flush() {
  totals_.resize(bins_in_all);
  for (std::size_t code = 0; code < bins_in_all; ++code) totals_[code].add(bins_[code]);
  std::fill(bins_.begin(), bins_.end(), Bin{});
  since_flush_ = 0;
}

Statistics FloatBins::finish() {
  Statistics out;
  out.histogram.kind = dtype_ == Dtype::f32 ? HistogramKind::f32_top16 : HistogramKind::f64_top16;
  out.histogram.dtype = dtype_;
  out.moments = seen_;
  const bool integers = dtype_ == Dtype::f32 && seen_.n <= std::uint64_t{1} << 32U;
  for (std::size_t code = 0; code < bins_in_all; ++code) {
    Total total = totals_.empty() ? Total{} : totals_[code];
    total.add(bins_[code]);
    if (total.count == 0) continue;
    out.histogram.code.push_back(static_cast<std::uint16_t>(code));
    out.histogram.count.push_back(total.count);
    if (integers) {
      out.histogram.low_sum.push_back(total.low);
      out.histogram.low_square_sum.push_back(total.low_square);
    }
  }
  Moments& moments = out.moments;
  const CentralSums blocks = blocks_.finish();
  CentralSums sums = integers ? integer_sums(out.histogram) : blocks;
  moments.exactness = integers ? Exactness::f32_integer : Exactness::blocks;
  if (integers && sums.n > 1) {
    const double spread = std::sqrt(sums.m2 / static_cast<double>(sums.n - 1));
    if (bins_too_wide(out.histogram, spread)) {
      sums.m3 = blocks.m3;
      sums.m4 = blocks.m4;
      moments.exactness = Exactness::blocks;
    }
  }
  if (sums.n > 0 && moments.min == moments.max) {  // constant: rounding must not invent a spread
    sums.mean = moments.min;
    sums.m2 = sums.m3 = sums.m4 = 0;
  }
  fill_from_sums(sums, moments);
  if (sums.n > 0) moments.abs_max = std::max(std::abs(moments.min), std::abs(moments.max));
  fill_from_bins(out.histogram, moments);
  return out;
}

}  // namespace stemma
