// What is known of the singular values of a matrix once they were taken?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/numerics/gram.hpp"
#include "analyzers/numerics/grid_shape.hpp"
#include "analyzers/numerics/spectral_error.hpp"
#include "analyzers/numerics/spectrum_checks.hpp"

namespace stemma {

/// The numeric values are written to archives: append only.
enum class SpectrumMethod : std::uint8_t {
  gram_dsyevd,
  gram_dsyevd_2stage,
  gram_elpa2,
  gram_pdsyevr,
  qr_dgesdd,
  qr_dgejsv,
  dgesdd,
  pdgesvd,
  gram_shared
};
std::string_view name_of(SpectrumMethod method);

struct Spectrum {
  std::vector<double> values;  ///< descending, >= 0; min(rows, cols) of them
  SpectralError error;
  std::uint64_t count_below_tau = 0;
  SpectrumMethod method = SpectrumMethod::gram_dsyevd;
  int attempts = 1;
  double frobenius_sq = 0;  ///< of the elements, independent of the values
  SpectrumGaps gaps;
  GridShape grid;  ///< of the ranks that shared the work
};

/// Square roots of ascending eigenvalues, descending; negative ones are rounding and become 0.
std::vector<double> singular_values_of(std::span<const double> ascending);

/// The binary exponent of the largest finite magnitude among consecutive elements; 0 of zeros.
int largest_exponent(const MatrixForm& form, std::span<const std::byte> elements);
/// Up to this one, no square of an element nor a sum of them leaves the range of doubles.
inline constexpr int harmless_exponent = 200;

/// A spectrum of elements that were scaled by 2^-exponent, brought back to their own scale; counts what lies
/// below tau.
Spectrum unscaled(Spectrum spectrum, int exponent);

/// Fills crosscheck_gap of `spectrum`. Throws InvalidInput (spectrum.disagreement) when any value differs by
/// more than both bounds.
void compare_spectra(Spectrum& spectrum, const Spectrum& other);

/// Throws InvalidInput; the advice says whether BLAS passes its self-test on this machine.
[[noreturn]] void refuse_spectrum(const char* rule, std::string expected, std::string found);

/// dense_singular_values, for who cannot go on without: refuses with rule spectrum.invariant when dgesdd
/// gives up. Empty for an empty matrix only.
std::vector<double> required_singular_values(std::span<double> matrix, std::uint64_t rows,
                                             std::uint64_t cols);

}  // namespace stemma
