// How are many doubles added without losing the small ones?
#pragma once
#include <cmath>

namespace stemma {

/// Neumaier's compensated summation (ZAMM 54, 1974): error about one rounding of sum |x|, whatever the number
/// of terms. The result depends on the order of the terms, so callers fix it.
class ExactSum {
 public:
  void add(double x) {
    const double t = sum_ + x;
    lost_ += std::abs(sum_) >= std::abs(x) ? (sum_ - t) + x : (x - t) + sum_;
    sum_ = t;
  }
  double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

}  // namespace stemma
