// How is a matrix kept in its stored type and still multiplied in double precision?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/model/dtype.hpp"
#include "io/model/panels.hpp"

namespace stemma {

/// A matrix in memory as its stored bytes (a quarter of the doubles for 16-bit types), widened row block by
/// row block when it is used.
class HeldMatrix {
 public:
  HeldMatrix(Dtype dtype, std::uint64_t rows, std::uint64_t cols);

  void take(const Panel& panel);

  /// y = A^T A x in one pass over the rows.
  void normal_product(std::span<const double> x, std::span<double> y) const;

  /// Unbiased standard deviation of the finite elements, NaN below two.
  double std_unbiased() const;

  /// Lower bound of s1 / (std (sqrt rows + sqrt cols)): about 1 for matrices of i.i.d. elements. Stops at
  /// `enough`. NaN for constant matrices and those with NaN or infinities.
  double edge_ratio(double enough) const;

  static std::uint64_t bytes(Dtype dtype, std::uint64_t rows, std::uint64_t cols);

 private:
  /// Calls use(rows, values) for blocks of rows, values row-major.
  template <typename Use>
  void each_block(Use use) const;

  Dtype dtype_;
  std::uint64_t rows_;
  std::uint64_t cols_;
  std::vector<std::byte> bytes_;
};

}  // namespace stemma
