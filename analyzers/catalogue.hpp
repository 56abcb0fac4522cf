// Which questions can be asked? The one list of analyzers and the one list of pair tests.
#pragma once
#include <span>
#include <string_view>

#include "analyzers/analyzer.hpp"
#include "analyzers/pair_analyzer.hpp"
#include "analyzers/pair_test.hpp"

namespace stemma {

/// All analyzers, in the order in which their `summarise` must run: content, histogram,
/// intrinsic_fingerprint, neuron_match, spectrum, tensorguard. Later ones read what earlier ones found. The
/// objects live as long as the program.
std::span<const Analyzer* const> catalogue();

/// All pair tests: content, histogram, intrinsic_fingerprint, neuron_match, tensorguard. Named like the
/// analyzer they read.
std::span<const PairTest* const> pair_tests();

/// All analyzers of pairs: stream_alignment, origin_tracer, reencoding, same_function.
std::span<const PairAnalyzer* const> pair_catalogue();

/// The analyzer or test of that name, nullptr when there is none.
const Analyzer* analyzer_named(std::string_view name);
const PairTest* pair_test_named(std::string_view name);
const PairAnalyzer* pair_analyzer_named(std::string_view name);
/// An analyzer of models or of pairs.
const Method* method_named(std::string_view name);

}  // namespace stemma
