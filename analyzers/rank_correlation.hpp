// Does a list of numbers rise or fall along its places?
#pragma once
#include <span>

namespace stemma {

/// Spearman's correlation of values with their places; values that are equal share the mean of their ranks.
/// NaN for fewer than three values, for a constant list, and where a value is not finite.
double rank_correlation_with_place(std::span<const double> values);

}  // namespace stemma
