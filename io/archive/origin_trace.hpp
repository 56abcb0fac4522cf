// What did origin_tracer find between a base and a candidate?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/archive/evidence.hpp"

namespace stemma {

/// One reading of one place. Missing numbers are NaN.
struct OriginReading {
  std::string subject;  ///< "layers/3/circuit", "layers/3/attn.v", "layers/3/attn.v/rows", "control"
  std::string reading;  ///< operator, tensor, row_space or control
  int layer = -1;
  std::string label;  ///< LOW_RANK, IDENTICAL, ...; "" where the reading failed
  std::uint64_t rank = 0, limit = 0, significant = 0;
  double ratio = missing;       ///< s_rank / s_{rank+1}
  double first = missing;       ///< s_1
  double behind = missing;      ///< s_{rank+1}
  double noise_edge = missing;  ///< s*: largest singular value of rounding noise
  double delta = missing;       ///< size of the difference over the root mean square of both
  double update = missing;      ///< size of the difference over that of the base
  double cosine = missing;      ///< of both circuits
  std::vector<double> values;   ///< largest singular values of the difference, descending
  std::string problem;          ///< why the reading failed
};

/// All readings of one pair and what they come to.
struct OriginTrace {
  std::string base, candidate;  ///< ids
  std::string obstacle;         ///< why the method is not applicable; "" when it is
  std::string abstain;          ///< reason of an abstention: unsupported, unaligned, dead_zone, mixed, ...
  std::string stream;           ///< identity, signed_permutation, orthogonal, unaligned
  double stream_scale = missing, stream_agreeing = missing, stream_residual = missing;
  std::uint64_t tokens = 0;      ///< rows of the embeddings that were compared
  bool same_vocabulary = false;  ///< the embeddings have as many rows
  std::string label;             ///< of the circuits: of at least half of the layers
  std::uint64_t layers = 0, agreeing = 0;
  std::vector<std::uint64_t> ranks;  ///< of the circuits that are LOW_RANK
  double median = missing;
  std::uint64_t minimum = 0, mode = 0;
  std::uint64_t equal_by_hash = 0;     ///< weights that were known to be equal and not read
  std::uint64_t coarse = 0, lost = 0;  ///< of those that changed: evenly, and too little to be ranked
  double coarse_update = 0;            ///< largest relative size of an even change
  std::uint64_t unchanged = 0, low_rank = 0, changed = 0;     ///< weights read one by one
  std::map<std::string, std::vector<std::uint64_t>> by_role;  ///< ranks of LOW_RANK weights
  std::vector<OriginReading> readings;                        ///< by layer, then subject

  const OriginReading* control() const {
    for (const OriginReading& r : readings)
      if (r.reading == "control") return &r;
    return nullptr;
  }
};

}  // namespace stemma
