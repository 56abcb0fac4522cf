// Which numbers and counts of analyzer "spectrum" have a column of their own name in /spectra?
#pragma once
#include <array>

namespace stemma {

inline constexpr std::array<const char*, 17> spectrum_numbers = {"e_estimate",
                                                                 "e_bound",
                                                                 "tau",
                                                                 "stable_rank",
                                                                 "effective_rank",
                                                                 "entropy",
                                                                 "energy_rank",
                                                                 "participation_ratio",
                                                                 "tail_exponent",
                                                                 "condition",
                                                                 "trace_gap",
                                                                 "square_gap",
                                                                 "probe_gap",
                                                                 "norm_gap",
                                                                 "min_eigenvalue",
                                                                 "crosscheck_gap",
                                                                 "frobenius_sq"};
inline constexpr std::array<const char*, 9> spectrum_counts = {
    "rows",           "cols",     "error_model", "count_below_tau", "method",
    "exact_products", "attempts", "grid_rows",   "grid_cols"};

}  // namespace stemma
