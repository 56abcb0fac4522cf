// What is the Gram matrix of a matrix whose rows go by, in double precision?
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/numerics/large_array.hpp"
#include "io/model/dtype.hpp"

namespace stemma {

/// Shape and type of a matrix, row-major. Elements count as stored value times 2^-exponent: squares of 64-bit
/// floats could leave the range of doubles otherwise.
struct MatrixForm {
  Dtype dtype = Dtype::f32;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  int exponent = 0;

  std::uint64_t k() const { return rows < cols ? rows : cols; }
  std::uint64_t longest() const { return rows < cols ? cols : rows; }
  bool wide() const { return rows < cols; }
  std::uint64_t element_bytes() const { return bits_of(dtype) / 8; }
  std::uint64_t row_bytes() const { return cols * element_bytes(); }
  std::uint64_t bytes() const { return rows * row_bytes(); }

  /// Consecutive elements as scaled doubles. Products of two 8-, 16- or 32-bit floats are exact in double.
  void widen_scaled(std::span<const std::byte> bytes, std::span<double> out) const;
};

/// Elements of the longer side that go into one rank-r update: a function of the shape only, so that the sums
/// are the same however the rows arrive. 8 MiB of doubles, which stay in the last cache; between 256 (below,
/// updates are bound by memory) and 4,096, a multiple of 64.
std::uint64_t panel_height(const MatrixForm& form);

/// Sums A^T A (k x k) over row panels; for tall and square matrices.
class TallGram {
 public:
  explicit TallGram(const MatrixForm& form);
  /// The next whole rows. Nothing is kept of them but the current panel.
  void take(std::span<const std::byte> rows);
  /// The lower triangle, k x k column-major; the object is empty afterwards.
  LargeArray finish();

 private:
  void update();

  MatrixForm form_;
  LargeArray panel_;          ///< row-major rows x cols, which is column-major cols x rows
  std::uint64_t filled_ = 0;  ///< rows in the panel
  LargeArray gram_;
};

/// The same of all rows at once: A^T A, or A A^T of a wide matrix by blocks of columns.
LargeArray gram_of(const MatrixForm& form, std::span<const std::byte> matrix);

}  // namespace stemma
