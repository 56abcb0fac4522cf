// What do the weights of chosen pairs say?
#pragma once
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analyzers/distributed/communicator.hpp"
#include "pipeline/pair_trace.hpp"
#include "pipeline/round.hpp"

namespace stemma {

/// Two models by index, and the roles whose weights are known to be equal from their fingerprints.
struct TracePair {
  std::uint32_t base = 0, candidate = 0;
  std::set<std::string> equal;
};

/// Everything that decides a trace. Only rank 0 has one; models outlive it and were all read by the survey.
struct TraceRequest {
  std::span<const SurveyedModel> models;
  std::vector<TracePair> pairs;
  std::map<std::string, double> origin_options;  ///< of origin_tracer: max_rank, seed
  LineageRule rule = {};                         ///< by which neurons are judged
  RoundTerms terms;
  std::filesystem::path scratch;        ///< directory for maps of turned streams, which all ranks see
  Leftovers maps = Leftovers::removed;  ///< kept: until somebody clears the scratch directory
};

struct TraceResult {
  std::vector<PairTrace> pairs;  ///< in the order of the request
  std::vector<Failure> failures;
  std::uint64_t weight_bytes = 0;  ///< of all weights that were needed, each counted once
  std::uint64_t bytes_read = 0;
  double seconds = 0;
};

/// Collective. First the embeddings of every pair, which say in which coordinates the candidate lives, or the
/// neurons of some layers where they do not, then all layers, then neurons where the layers leave a pair open
/// (lineage_in_question), and all parts as functions where it may be one model in two forms
/// (function_in_question): pairs x layers are items of the same plan and coordinator as those of models. What
/// fails is a row of the result. `reader` as for run_work. Throws as run_work does; the result is rank 0's.
std::optional<TraceResult> trace_pairs(const Communicator& ranks, CoordinatorMode mode,
                                       const TraceRequest* request, const ReaderMaker& reader, Log& log);

}  // namespace stemma
