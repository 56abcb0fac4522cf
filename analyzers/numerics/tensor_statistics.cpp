// What are the statistics of one tensor of any type, while its bytes go by?
#include "analyzers/numerics/tensor_statistics.hpp"

#include <algorithm>
#include <array>

#include "io/model/widen.hpp"

namespace stemma {

TensorStatistics::TensorStatistics(Dtype dtype) : dtype_(dtype) {
  integers_.quantile.fill(Moments::none);
  if (!has_histogram(dtype)) return;
  if (bits_of(dtype) <= 16) {
    counter_.emplace<CodeCounter>(dtype);
  } else {
    counter_.emplace<FloatBins>(dtype);
  }
}

bool TensorStatistics::has_histogram(Dtype dtype) {
  return is_real(dtype) &&
         (bits_of(dtype) == 8 || bits_of(dtype) == 16 || dtype == Dtype::f32 || dtype == Dtype::f64);
}

void TensorStatistics::add(std::span<const std::byte> bytes) {
  if (auto* codes = std::get_if<CodeCounter>(&counter_)) {
    codes->add(bytes);
  } else if (auto* bins = std::get_if<FloatBins>(&counter_)) {
    bins->add(bytes);
  } else {
    count_integers(bytes);
  }
}

void TensorStatistics::count_integers(std::span<const std::byte> bytes) {
  if (is_real(dtype_) || dtype_ == Dtype::c64 || bits_of(dtype_) % 8 != 0) {
    integers_.n += bytes.size() * 8 / bits_of(dtype_);
    return;
  }
  const std::size_t width = bits_of(dtype_) / 8;
  std::array<double, 4096> values{};
  while (bytes.size() >= width) {
    const std::size_t taken = std::min(values.size(), bytes.size() / width);
    widen(dtype_, bytes.first(taken * width), std::span(values).first(taken));
    bytes = bytes.subspan(taken * width);
    for (std::size_t i = 0; i < taken; ++i) {
      ++(values[i] == 0 ? integers_.n_pos_zero : values[i] > 0 ? integers_.n_positive : integers_.n_negative);
    }
    integers_.n += taken;
  }
}

Statistics TensorStatistics::finish() {
  if (auto* codes = std::get_if<CodeCounter>(&counter_)) {
    Statistics out;
    out.histogram = codes->finish();
    out.moments = moments_of(out.histogram);
    return out;
  }
  if (auto* bins = std::get_if<FloatBins>(&counter_)) return bins->finish();
  Statistics out;
  out.histogram.dtype = dtype_;
  out.moments = integers_;
  return out;
}

}  // namespace stemma
