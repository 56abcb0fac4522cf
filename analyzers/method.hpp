// How is one piece of a model, or of two, measured while its weights go by?
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzers/numerics/decomposition.hpp"
#include "io/archive/features.hpp"
#include "io/model/panels.hpp"

namespace stemma {

class Team;

/// One canonical or stored tensor as an input of a subject: enough to interpret its bytes without the model.
/// A stored one that is no matrix has all its elements as rows of one.
struct Input {
  std::string role;  ///< path_of(role); the tensor's name when no role is known, or when it is a stored one
  Dtype dtype = Dtype::f32;
  std::uint64_t rows = 0;
  std::uint64_t cols = 1;
  double gain_offset = 0;
};

/// The piece of a model that one answer needs. A value: it travels to whichever rank does the work.
/// `matrices` index Model::matrices and are streamed; `companions` are small vectors (norm gains, biases)
/// that are read whole beforehand. `stored`: tensors as they are stored, for questions to which storage
/// matters. `file`: one whole file as bytes; such a subject asks for nothing else.
///
/// Tensors that subjects need together are read together, once, by one rank. `apart` leaves a subject out of
/// that, because it needs many tensors that others need one by one: its stored tensors are read once more, in
/// the order that it gives, and it asks for nothing else. `half_distances` says of a subject apart that these
/// are quantised tensors, of which it wants half distances instead of values (Decoding), as F32.
struct Subject {
  std::string analyzer;
  std::string path;  ///< "layers/3/qk"; unique per analyzer and model
  std::vector<std::uint32_t> matrices;
  std::vector<std::uint32_t> companions;
  std::vector<std::uint32_t> anchored;  ///< embeddings, indices into Model::matrices: rows of the model's
                                        ///< anchors are read beforehand and follow the companions
  std::vector<std::uint32_t> stored;    ///< indices into Checkpoint::tensors
  std::optional<std::uint32_t> file;    ///< index into Checkpoint::files
  bool apart = false;
  bool half_distances = false;
  std::map<std::string, double> parameters;  ///< heads, kv_heads, head_dim, options of the analyzer, ...
};

/// What a subject will ask of a rank, or of a team.
struct Cost {
  double flops = 0;           ///< in plain loops over the elements, on one rank whatever the team
  double bytes = 0;           ///< weight bytes to be read
  std::uint64_t memory = 0;   ///< bytes beside the reading buffers and the decomposition
  std::uint64_t working = 0;  ///< bytes more while it finishes, when other subjects rest
  std::optional<Decomposition> decomposition;  ///< what a team may share
};

/// One subject while its weights go by. Never sees files, ranks or other subjects.
class Measurement {
 public:
  virtual ~Measurement() = default;
  /// Elements of inputs()[input] in row-major order, cut anywhere between elements: for questions to which
  /// rows do not matter. They come before the panel that holds them, in blocks that stay in a core's own
  /// cache while everybody who asked looks at them (for_each_block). Inputs come in any order.
  virtual void take_elements(std::size_t input, std::span<const std::byte> elements) {
    (void)input, (void)elements;
  }
  /// A panel of inputs()[input]. Panels of one input come in ascending row order; inputs come in any order.
  virtual void take(std::size_t input, const Panel& panel) { (void)input, (void)panel; }
  /// Bytes of Subject::stored[which], or of Subject::file (which = 0), in order and cut anywhere.
  virtual void take_stored(std::size_t which, std::span<const std::byte> bytes) { (void)which, (void)bytes; }
  /// All panels have been taken. Fills numbers; analyzer, version and subject are set by the caller.
  virtual Features finish() = 0;
};

/// How subjects of one kind are measured: what analyzers of models and of pairs have in common.
class Method {
 public:
  virtual ~Method() = default;
  virtual std::string_view name() const = 0;
  virtual int version() const = 0;
  /// Reference of the method: "arXiv 2507.03014", or "" for Stemma's own.
  virtual std::string_view paper() const { return ""; }

  /// Whether the features of a subject follow from the elements and shapes of its matrices and from its
  /// parameters alone: those of equal tensors are equal, whoever they belong to.
  virtual bool by_content() const { return false; }

  virtual Cost cost(const Subject& subject, std::span<const Input> inputs) const = 0;

  /// Begins one subject. `inputs` belong to subject.matrices, then subject.stored; `companions` hold the
  /// values of subject.companions (as stored, widened; gain offsets not yet added), then for each of
  /// subject.anchored the rows of the model's anchors, one behind the other.
  virtual std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                             std::span<const std::vector<double>> companions) const = 0;

  /// Collective over the team: begins a subject whose cost has a decomposition, for several ranks together.
  /// Every rank is then given every panel; take must neither throw nor communicate, finish is Collective, and
  /// the first rank's features count. Throws together.
  virtual std::unique_ptr<Measurement> begin_together(const Subject& subject, std::span<const Input> inputs,
                                                      std::span<const std::vector<double>> companions,
                                                      Team& team) const;
};

}  // namespace stemma
