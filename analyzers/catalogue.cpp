// Which questions can be asked? The one list of analyzers and the one list of pair tests.
#include "analyzers/catalogue.hpp"

#include <array>

#include "analyzers/aligned_heads.hpp"
#include "analyzers/aligned_neurons.hpp"
#include "analyzers/content.hpp"
#include "analyzers/content_pair.hpp"
#include "analyzers/histogram.hpp"
#include "analyzers/histogram_pair.hpp"
#include "analyzers/intrinsic_fingerprint.hpp"
#include "analyzers/intrinsic_pair.hpp"
#include "analyzers/neuron_match.hpp"
#include "analyzers/neuron_pair.hpp"
#include "analyzers/neuron_stream.hpp"
#include "analyzers/origin_tracer.hpp"
#include "analyzers/reencoding.hpp"
#include "analyzers/same_function.hpp"
#include "analyzers/spectrum.hpp"
#include "analyzers/stream_alignment.hpp"
#include "analyzers/tensorguard.hpp"
#include "analyzers/tensorguard_pair.hpp"

namespace stemma {

namespace {

template <typename T>
const T* named(std::span<const T* const> list, std::string_view name) {
  for (const T* entry : list) {
    if (entry->name() == name) return entry;
  }
  return nullptr;
}

}  // namespace

std::span<const Analyzer* const> catalogue() {
  static const std::array<const Analyzer*, 6> all = {
      &content_analyzer(),      &histogram_analyzer(), &intrinsic_fingerprint_analyzer(),
      &neuron_match_analyzer(), &spectrum_analyzer(),  &tensorguard_analyzer()};
  return all;
}

std::span<const PairTest* const> pair_tests() {
  static const std::array<const PairTest*, 5> all = {&content_pair_test(), &histogram_pair_test(),
                                                     &intrinsic_pair_test(), &neuron_pair_test(),
                                                     &tensorguard_pair_test()};
  return all;
}

std::span<const PairAnalyzer* const> pair_catalogue() {
  static const std::array<const PairAnalyzer*, 7> all = {
      &stream_alignment_analyzer(), &neuron_stream_analyzer(), &origin_tracer_analyzer(),
      &reencoding_analyzer(),       &same_function_analyzer(), &aligned_neurons_analyzer(),
      &aligned_heads_analyzer()};
  return all;
}

const Analyzer* analyzer_named(std::string_view name) { return named(catalogue(), name); }
const PairTest* pair_test_named(std::string_view name) { return named(pair_tests(), name); }
const PairAnalyzer* pair_analyzer_named(std::string_view name) { return named(pair_catalogue(), name); }
const Method* method_named(std::string_view name) {
  if (const Analyzer* analyzer = analyzer_named(name)) return analyzer;
  return pair_analyzer_named(name);
}

}  // namespace stemma
