// Which of many tests found something, if only a small share of what is found may be false?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace stemma {

/// sum_{j<=m} 1/j, relative error below 1e-15.
double harmonic_number(std::uint64_t m);

/// For each test the natural logarithm of the least level at which it is found, by Benjamini and Yekutieli
/// (Annals of Statistics 29 (2001) 1165, theorem 1.3), which holds whatever the dependence between tests:
///   min over i >= its rank of p_(i) M H_M / i, at most 1, H_M the harmonic number.
/// `tests` is M: it may exceed the number of p-values given, all others being 1. In the order of `log_p`;
/// equal p-values get equal answers. Throws std::invalid_argument when M is less than the number of p-values,
/// and for a logarithm that is not finite or above 0.
std::vector<double> log_discovery_levels(std::span<const double> log_p, std::uint64_t tests);

/// Which tests are found at level q, 0 < q < 1, else std::invalid_argument: those whose level is at most q.
std::vector<bool> discoveries(std::span<const double> log_levels, double q);

}  // namespace stemma
