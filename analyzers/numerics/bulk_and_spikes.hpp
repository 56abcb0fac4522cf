// How much do two matrices have in common where they stand out of noise, and how much in the noise?
#pragma once
#include <cstdint>
#include <limits>
#include <span>

namespace stemma {

/// Median singular value of a rows x cols matrix of independent unit normal numbers, as both sides grow
/// (Marchenko, Pastur, Mathematics of the USSR-Sbornik 1, 1967): 0.8079 sqrt(n) for a square one. 0 where a
/// side is 0.
double normal_median_singular_value(std::uint64_t rows, std::uint64_t cols);

/// Two matrices of one shape, row-major.
struct MatrixPair {
  std::span<const double> x, y;
  std::uint64_t rows = 0, cols = 0;
};

/// Cosines <A, B>_F / |A|_F |B|_F of parts of X and Y. A part that is empty has none: NaN.
struct PartCosines {
  double whole = std::numeric_limits<double>::quiet_NaN();
  double spikes = whole;  ///< X_S and Y_S
  double bulk = whole;    ///< X_B and Y_B
};

/// The same of the two matrices, and of X with a Y whose longer side has another order: what matrices have in
/// common that have nothing in common but their shape and scale.
struct SplitCosines {
  std::uint64_t spikes_of_x = 0, spikes_of_y = 0;  ///< singular values that belong to the spikes
  PartCosines matched, shuffled;
};

/// X = X_S + X_B, where X_S has the singular values above edge sigma (sqrt rows + sqrt cols): sigma is the
/// median of all over that of unit normal numbers, so that noise of any size with few directions added ends
/// there. Gram matrices of the shorter side and eigenvectors above the edge are all that is formed. Elements
/// are finite. Throws std::invalid_argument where sizes do not fit; what LAPACK gives up on stays NaN.
SplitCosines split_cosines(const MatrixPair& pair, double edge);

}  // namespace stemma
