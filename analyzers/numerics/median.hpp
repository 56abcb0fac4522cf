// What is the middle of some numbers?
#pragma once
#include <vector>

namespace stemma {

/// The median of those that are numbers, of an even count the mean of both in the middle; NaN of none.
double median(std::vector<double> values);

}  // namespace stemma
