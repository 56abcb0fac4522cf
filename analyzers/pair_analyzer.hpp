// What is an analyzer of pairs: one question asked of the weights of two models.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyzers/method.hpp"
#include "analyzers/origin_alignment.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// How the residual stream of a candidate lies in that of its base, once it is known: `map` is then a vector
/// of d numbers for a signed permutation, a d x d matrix for a rotation (encode_map).
struct KnownAlignment {
  StreamChange change = StreamChange::identity;
  double scale = 1;
  /// Index into the matrices of the joined model; empty for an identity. That of unaligned streams is a
  /// rotation that comes near.
  std::optional<std::uint32_t> map;
  bool by_neurons = false;  ///< found without tokens, from MLPs at even places among those that both have
};

/// Two models that are read together. Subjects index one list: the matrices of the base, then those of the
/// candidate, from `first_of_candidate` on, then half distances of those that are quantised, and at last the
/// map of the alignment and the tokens. Both models outlive it.
struct ModelPair {
  const Model* base = nullptr;
  const Model* candidate = nullptr;
  std::uint32_t first_of_candidate = 0;
  std::set<std::string> equal;  ///< roles whose weights are known to be equal, bit for bit: not read
  KnownAlignment alignment;
  /// How far a quantised matrix may be from what it was made from.
  struct Codes {
    std::uint32_t half_distances = 0;  ///< one more matrix of the list: of every value (Decoding)
    std::string scheme;                ///< for people: "Q4_K, blocks of 256"
    bool updated = false;              ///< an adapter was merged into it: values lie on codes no more
  };
  std::map<std::uint32_t, Codes> codes;  ///< of quantised matrices, by their index in the list
  /// Some rows of both embeddings, of the same tokens, as two more matrices of the list.
  struct Both {
    std::uint32_t base = 0, candidate = 0;
  };
  std::optional<Both> tokens;

  /// Index of the matrix of a role in the list; nothing when that model has none.
  std::optional<std::uint32_t> in_base(const Role& role) const;
  std::optional<std::uint32_t> in_candidate(const Role& role) const;

  /// The same of both; nothing when one has none.
  std::optional<Both> find(const Role& role) const;
  const Matrix& base_matrix(const Both& both) const { return base->matrices[both.base]; }
  const Matrix& candidate_matrix(const Both& both) const {
    return candidate->matrices[both.candidate - first_of_candidate];
  }
  /// Null for a matrix of numbers.
  const Codes* codes_of(std::uint32_t matrix) const {
    const auto found = codes.find(matrix);
    return found == codes.end() ? nullptr : &found->second;
  }
};

/// One question asked of the weights of two models. What it found is put together by who asked.
class PairAnalyzer : public Method {
 public:
  /// From headers only: no weight is read. Ordered by path.
  virtual std::vector<Subject> subjects(const ModelPair& pair,
                                        const std::map<std::string, double>& options) const = 0;
};

}  // namespace stemma
