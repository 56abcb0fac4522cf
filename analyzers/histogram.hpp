// How are the values of a tensor distributed, exactly?
#pragma once
#include "analyzers/analyzer.hpp"
#include "analyzers/numerics/tensor_statistics.hpp"

namespace stemma {

const Analyzer& histogram_analyzer();

/// Between statistics and the named numbers of features; inverse of each other.
/// histogram_of gives nothing for types without a histogram.
Features features_of(const Statistics& statistics);
std::optional<Histogram> histogram_of(const Features& features, Dtype dtype);
Moments moments_of(const Features& features);

/// XXH3-128 over the codes (u16), the counts (u64) and, for f32, the low sums (u64), all little-endian. Two
/// tensors with equal digests hold the same multiset of values (f32: as far as sums per bin can tell).
/// Zero for types whose bins say too little: f64, integers.
Hash128 digest_of(const Histogram& histogram);

/// What of the stored moments, digest and totals does not follow from the stored counts; empty when all does.
/// `dtype` is the stored type of the tensor.
std::vector<std::string> check_histogram(const Features& features, Dtype dtype);

}  // namespace stemma
