// Which inputs does tensorguard show to a matrix, and how often each?
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stemma {

/// The kinds of noise of arXiv 2506.01631, in its order. Adversarial noise needs weights (AdversarialNoise);
/// the others are functions of the size alone.
enum class GuardNoise : std::uint8_t { gaussian, structured, low_frequency, high_frequency, adversarial };
inline constexpr std::size_t guard_noises = 5;

/// x ~ N(0, I_n), which all inputs of n elements begin with.
std::vector<double> guard_base(std::uint64_t seed, std::uint64_t n);

/// x with noise of one kind that is not adversarial, of n >= 1 elements. With K = n/2 + 1 bins of the real
/// Fourier transform and P_S the projection on the bins S: x + 0.1 xi for xi ~ N(0, I), x + P_{k < K/4} x,
/// x + 0.1 P_{k < K/8} x, x + 0.1 P_{k >= K/2} x; all fractions rounded down.
std::vector<double> guard_input(GuardNoise noise, std::uint64_t seed, std::span<const double> x);

/// How often each kind is drawn for a tensor: `samples` draws, uniform and determined by (seed, name); or,
/// balanced, an equal number of each, rounded up.
std::array<int, guard_noises> guard_schedule(std::uint64_t seed, std::string_view name, int samples,
                                             bool balanced);

/// A name as a key for random numbers (FNV-1a of Fowler, Noll, Vo: names are short, and nobody gains by a
/// collision).
std::uint64_t guard_key(std::string_view name);

/// The class against which adversarial noise is made, of `classes` > 0.
std::uint64_t guard_class(std::uint64_t seed, std::uint64_t classes);

/// sign(W_0^T (softmax(W_0 x) - e_t)) for the m x n matrix W_0 and a class t: where the input has to go for
/// the cross-entropy of the logits W_0 x to grow (Goodfellow, Shlens, Szegedy, arXiv 1412.6572). One pass
/// over the rows, with the softmax's largest exponent carried along, so W_0 is never held.
class AdversarialNoise {
 public:
  AdversarialNoise(std::span<const double> x, std::uint64_t target);
  /// The next row of W_0, n elements.
  void take(std::span<const double> row);
  /// +1, -1 or 0 for each element.
  std::vector<double> signs() const;

 private:
  std::span<const double> x_;
  std::uint64_t target_, row_ = 0;
  double largest_, total_ = 0;
  std::vector<double> weighted_, target_row_;
};
inline constexpr double adversarial_step = 0.03;

}  // namespace stemma
