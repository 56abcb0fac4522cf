// What is the logarithm of x, with the same bits on every machine?
#pragma once

namespace stemma {

/// Base-2 logarithm of a positive finite x, at most 2 ulp off, from frexp and plain double operations only:
/// the C library chooses code by CPU, so its last bit differs between node types. log2(0) = -inf, NaN below
/// 0.
double portable_log2(double x);

/// Natural logarithm by the same route.
double portable_log(double x);

}  // namespace stemma
