// Which ranks does the grey-box form of origin_tracer read, layer after layer, and at what price?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyzers/origin_grey_box.hpp"
#include "io/model/byte_reader.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// One layer; nothing read where a number is not finite.
struct GreyBoxLayer {
  int layer = 0;
  std::optional<GreyBoxReading> reading;
  double seconds = 0;
};

struct GreyBoxTrace {
  std::string base, candidate;  ///< ids
  std::vector<GreyBoxLayer> layers;
  std::vector<int>
      representative;  ///< the tenth of the layers that were read with the largest ratios, one at least
  RankSummary ranks;   ///< of those that were read
  std::uint64_t probes = 0, passes = 0, bytes_read = 0;
  double flops = 0, seconds = 0;
};

/// Single tokens, common to both vocabularies by index, go through the base layer by layer; the candidate's
/// layers get the base's inputs. One rank, one layer of both models in memory at a time, every matrix read
/// once. Throws InvalidInput with rule trace.grey_box where a layer is no RMS-normalised SwiGLU layer of the
/// same sizes in both models, and what reading throws.
GreyBoxTrace trace_grey_box(const SurveyedModel& base, const SurveyedModel& candidate, ByteReader& reader,
                            const GreyBoxOptions& options);

/// A table of layers, the representative ones marked, and the cost.
std::string grey_box_summary(const GreyBoxTrace& trace);
/// stemma.grey_box/1
std::string grey_box_json(const GreyBoxTrace& trace);

}  // namespace stemma
