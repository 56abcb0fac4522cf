// What are the singular values of a product of a tall and a wide matrix that nobody wants to form?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace stemma {

/// P = B A of two dense row-major factors, B rows x inner and A inner x cols, inner <= min(rows, cols).
struct ThinProduct {
  std::span<double> b, a;
  std::uint64_t rows = 0, inner = 0, cols = 0;
};

/// The first `inner` singular values of P, descending; the other min(rows, cols) - inner are zero. Nothing
/// when an element of a factor is not finite. Both factors are overwritten.
///
/// With B = Q_B R_B and A^T = Q_A R_A, Q_B and Q_A orthonormal, P = Q_B (R_B R_A^T) Q_A^T has the singular
/// values of the inner x inner matrix R_B R_A^T: O((rows + cols) inner^2 + inner^3) operations and no memory
/// of rows x cols (Golub and Van Loan, Matrix Computations, 4th edition, sections 5.2 and 8.6).
///
/// Every step is backward stable, so a value is off by a modest multiple of inner u |B| |A|, u = 2^-53: as
/// good as dgesdd of the exact product where |B| |A| is not much larger than s1. The factors are scaled by
/// powers of two, which is exact: nothing overflows or vanishes on the way, only a value that no double can
/// be comes out as infinity or zero. Factors of any rank.
///
/// Throws std::invalid_argument when a size does not fit, InvalidInput with rule spectrum.invariant when
/// dgesdd gives up.
std::optional<std::vector<double>> thin_product_values(const ThinProduct& product);

}  // namespace stemma
