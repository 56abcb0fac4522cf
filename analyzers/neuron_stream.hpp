// In which coordinates of the base does a candidate's residual stream run? Asked of neurons.
#pragma once
#include "analyzers/pair_analyzer.hpp"

namespace stemma {

/// For pairs whose embeddings do not tell: without any, with other vocabularies, or trained anew. One
/// subject, "alignment": MLPs at even places among those that both models have, at most four of them, so that
/// those at odd places are left to test what they say. Its features are read by stream_alignment_of; the
/// residual is that of rows of length 1, sqrt(2 - 2 mean cosine), and decides by the limits that hold for
/// embeddings. None for models without gates, of different depth or width, or with fewer than two such MLPs.
const PairAnalyzer& neuron_stream_analyzer();

}  // namespace stemma
