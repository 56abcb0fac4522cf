// Which numbers of analyzer "histogram" have a column in /moments, and which subject those in /codes?
#pragma once
#include <array>
#include <string>

#include "io/model/tensor.hpp"

namespace stemma {

/// Subject of analyzer "histogram" that says how far a quantised tensor may be from what was rounded to it.
inline std::string codes_subject(const StoredTensor& tensor) { return "codes/" + tensor.name; }

inline constexpr std::array<const char*, 10> moment_counts = {
    "n",          "n_nan",       "n_pos_inf",  "n_neg_inf",  "n_pos_zero",
    "n_neg_zero", "n_subnormal", "n_positive", "n_negative", "n_distinct"};
inline constexpr std::array<const char*, 12> moment_numbers = {
    "mean", "variance", "std_unbiased", "skewness", "kurtosis_excess", "frobenius_sq",
    "l1",   "min",      "max",          "abs_max",  "abs_min_nonzero", "entropy_bits"};

}  // namespace stemma
