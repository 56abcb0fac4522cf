// What does an adapter do to each weight of its base?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/round.hpp"

namespace stemma {

/// The update of one canonical weight. A module whose weight the base stores fused (q, k and v in one tensor)
/// has a row for each part. Missing numbers are NaN.
struct AdapterRow {
  std::string role;           ///< path in the base: "layers/3/attn.q"
  std::string part;           ///< without its layer: "attn.q"
  std::string module;         ///< as the adapter names it
  std::uint64_t nominal = 0;  ///< the rank that the configuration states
  std::uint64_t stored = 0;   ///< rows of A, columns of B
  std::uint64_t rank = 0;     ///< singular values above the rounding of the factors
  double alpha = 0, scale = 0;
  std::vector<double> values;    ///< singular values of scale B A, descending, without those that are zero
                                 ///< for any factors of this shape
  double noise_edge = missing;   ///< the largest singular value of the rounding of both factors
  double norm = missing;         ///< |scale B A|_F
  double weight_norm = missing;  ///< |W|_F of the base
  double update = missing;       ///< norm / weight_norm
  std::vector<std::string> remarks;  ///< what is odd about it, in words
};

struct AdapterTrace {
  std::string base, adapter;  ///< ids
  std::string declared_base;  ///< base_model_name_or_path of the adapter, as it stands there
  bool rank_stabilised = false;
  std::vector<AdapterRow> rows;     ///< in the order of roles
  std::vector<std::string> others;  ///< tensors that are no factors and were not read
  std::vector<std::string> remarks;
  std::vector<Failure> failures;
  std::uint64_t weight_bytes = 0, bytes_read = 0;  ///< of the adapter and of the base's adapted weights
  double seconds = 0;
};

/// Everything that decides. Only rank 0 has one; `base` was read by the survey and outlives it.
struct AdapterRequest {
  const SurveyedModel* base = nullptr;
  std::string id, path;  ///< of the adapter
  std::uint64_t seed = 0;
  RoundTerms terms;
};

/// Collective. Rank 0 opens the adapter, which is small, fits it to the base and decomposes every update; the
/// norms of the adapted weights are items of a plan as any other, on all ranks, each weight read once.
/// `reader` as for run_work. Throws what open_adapter and read_factor throw, and InvalidInput with rules
/// adapter.module_not_in_base, adapter.module_twice, adapter.shape_mismatch, adapter.fan_in_fan_out and
/// adapter.unsupported_weight, on all ranks. The result is rank 0's.
std::optional<AdapterTrace> trace_adapter(const Communicator& ranks, CoordinatorMode mode,
                                          const AdapterRequest* request, const ReaderMaker& reader, Log& log);

/// The pair of base and adapter as a row of verdicts, models by index. It abstains: an adapter holds no
/// weight of its base, so it fits every model of the same shapes.
Pair adapter_verdict(const AdapterTrace& trace, std::uint32_t base, std::uint32_t adapter);

}  // namespace stemma
