// What do the codes of a quantised number mean, and how far apart are they?
#pragma once
#include <span>
#include <vector>

#include "io/model/dtype.hpp"

namespace stemma::code_table {

/// Values of all codes, in the order of the codes.
std::vector<float> unsigned_integers(unsigned bits);  ///< 0, 1, ..., 2^bits - 1
std::vector<float> signed_bytes();                    ///< two's complement
std::vector<float> small_floats(Dtype dtype);         ///< of F8_E4M3, F8_E5M2 and their FNUZ forms
std::span<const float> e2m1();  ///< four bits: sign, two of exponent, one of mantissa; largest 6
/// The 16 values of a normal distribution in equal shares, with an exact 0, and the 12-step float of the same
/// width: Dettmers and others, QLoRA, 2023, and the bitsandbytes library.
std::span<const float> nf4();
std::span<const float> fp4();

/// For every value of a table half its distance to the farther of the finite values next to it: the largest
/// error of rounding to nearest. NaN for values that are not finite.
std::vector<float> half_distances(std::span<const float> values);

}  // namespace stemma::code_table
