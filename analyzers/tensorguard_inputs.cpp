// Everything random comes from a seed and a place, so that no run differs from another.
#include "analyzers/tensorguard_inputs.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <unsupported/Eigen/FFT>

#include "analyzers/numerics/random_numbers.hpp"

namespace stemma {
namespace {

// Streams of random numbers that have nothing to do with each other.
constexpr std::uint32_t base_stream = 0x746731, noise_stream = 0x746732, schedule_stream = 0x746733,
                        class_stream = 0x746734;

/// The parts of x whose frequencies lie in [from, to), bins of its real Fourier transform.
std::vector<double> band(std::span<const double> x, std::size_t from, std::size_t to) {
  if (x.size() == 1) return {from == 0 && to > 0 ? x[0] : 0};  // no transform, which Eigen does not take
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  std::vector<double> out(x.begin(), x.end());
  std::vector<std::complex<double>> bins;
  fft.fwd(bins, out);
  for (std::size_t k = 0; k < bins.size(); ++k)
    if (k < from || k >= to) bins[k] = 0;
  fft.inv(out, bins, static_cast<Eigen::Index>(x.size()));
  return out;
}

std::vector<double> sum(std::span<const double> x, double factor, std::span<const double> other) {
  std::vector<double> out(x.begin(), x.end());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += factor * other[i];
  return out;
}

using Row = Eigen::Map<const Eigen::VectorXd>;
Row as_vector(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

}  // namespace

std::vector<double> guard_base(std::uint64_t seed, std::uint64_t n) {
  return normal_numbers(seed, base_stream, n);
}

std::vector<double> guard_input(GuardNoise noise, std::uint64_t seed, std::span<const double> x) {
  const std::size_t bins = x.size() / 2 + 1;
  switch (noise) {
    case GuardNoise::gaussian:
      return sum(x, 0.1, normal_numbers(seed, noise_stream, x.size()));
    case GuardNoise::structured:
      return sum(x, 1, band(x, 0, bins / 4));
    case GuardNoise::low_frequency:
      return sum(x, 0.1, band(x, 0, bins / 8));
    case GuardNoise::high_frequency:
      return sum(x, 0.1, band(x, bins / 2, bins));
    case GuardNoise::adversarial:
      break;
  }
  throw std::invalid_argument("adversarial noise needs weights");
}

std::uint64_t guard_key(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

std::array<int, guard_noises> guard_schedule(std::uint64_t seed, std::string_view name, int samples,
                                             bool balanced) {
  std::array<int, guard_noises> times{};
  if (balanced) {
    times.fill((samples + static_cast<int>(guard_noises) - 1) / static_cast<int>(guard_noises));
    return times;
  }
  const std::uint64_t place = guard_key(name);
  for (int sample = 0; sample < samples; ++sample) {
    const auto words = random_words(seed, schedule_stream, place, static_cast<std::uint32_t>(sample));
    ++times[static_cast<std::size_t>(uniform_number(words[0], words[1]) * guard_noises)];
  }
  return times;
}

std::uint64_t guard_class(std::uint64_t seed, std::uint64_t classes) {
  const auto words = random_words(seed, class_stream, 0);
  return static_cast<std::uint64_t>(uniform_number(words[0], words[1]) * static_cast<double>(classes));
}

AdversarialNoise::AdversarialNoise(std::span<const double> x, std::uint64_t target)
    : x_(x), target_(target), largest_(-std::numeric_limits<double>::infinity()), weighted_(x.size(), 0) {}

void AdversarialNoise::take(std::span<const double> row) {
  const double logit = as_vector(row).dot(as_vector(x_));
  Eigen::Map<Eigen::VectorXd> sum(weighted_.data(), static_cast<Eigen::Index>(weighted_.size()));
  if (logit > largest_) {
    const double shrink = std::exp(largest_ - logit);
    sum *= shrink;
    total_ *= shrink;
    largest_ = logit;
  }
  const double weight = std::exp(logit - largest_);
  sum += weight * as_vector(row);
  total_ += weight;
  if (row_++ == target_) target_row_.assign(row.begin(), row.end());
}

std::vector<double> AdversarialNoise::signs() const {
  std::vector<double> out(weighted_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double gradient = weighted_[i] / total_ - target_row_.at(i);
    out[i] = gradient > 0 ? 1 : gradient < 0 ? -1 : 0;
  }
  return out;
}

}  // namespace stemma
