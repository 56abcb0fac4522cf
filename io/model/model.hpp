// Which matrices does a model consist of, by role?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/model/anchor_tokens.hpp"
#include "io/model/checkpoint.hpp"
#include "io/model/matrix.hpp"

namespace stemma {

enum class NormKind : std::uint8_t { rms, layer };
enum class Rope : std::uint8_t { half, interleaved, none, mixed };

/// Checkpoint + architecture: canonical matrices by role. A value; no weight has been read.
struct Model {
  Checkpoint checkpoint;
  std::string family;  ///< "llama"; "" when no architecture explains the tensors
  bool heuristic = false;
  NormKind norm = NormKind::rms;
  Rope rope = Rope::half;
  double rotary_share = 1;  ///< of a head's dimensions, the first ones, that rope turns; NaN: not understood
  std::map<std::string, std::int64_t>
      dims;                       ///< hidden, heads, kv_heads, head_dim, inter, vocab, experts, ...
  std::vector<Matrix> matrices;   ///< sorted by role; unknown tensors last, by name
  bool tied_head = false;         ///< lm_head is absent and the embedding serves as head
  AnchorTokens anchors;           ///< rows of the embedding; empty until they are chosen, or without one
  std::vector<Finding> findings;  ///< of the architecture; the checkpoint's own are in checkpoint.findings

  /// The matrix of a role, nullptr when the model has none. O(log n).
  const Matrix* find(const Role& role) const;
  /// Number of decoder layers that have at least one matrix: 1 + the largest layer index, 0 when there is
  /// none.
  int layers() const;
  std::optional<std::int64_t> dim(const std::string& name) const;
  /// Elements of all stored tensors that have a role (other than buffer).
  std::uint64_t parameters() const;
  /// Bytes of all stored tensors on disk.
  std::uint64_t bytes() const;
};

/// How the elements of one of the model's matrices are stored.
Dtype dtype_of(const Model& model, const Matrix& matrix);

/// Path that names one matrix uniquely in its model: path_of(role), or "other/NAME" and "unknown/NAME" with
/// the tensor's name where the part says no more than that.
std::string path_of(const Matrix& matrix, const Checkpoint& checkpoint);

}  // namespace stemma
