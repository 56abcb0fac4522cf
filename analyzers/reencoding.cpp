// A rounded copy has the hash of its rounded original.
#include "analyzers/reencoding.hpp"

#include <array>
#include <map>
#include <set>

#include "analyzers/content_hash.hpp"
#include "analyzers/json_text.hpp"
#include "io/model/narrow.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

/// One side: its own hash, and that of its values rounded to the type of the other.
class ReencodedSide {
 public:
  ReencodedSide(Dtype own, Dtype other) : own_(own), other_(other), converts_(own != other) {}

  void take(std::span<const std::byte> elements) {
    as_stored_.add(elements);
    if (!converts_) return;
    values_.resize(elements.size() * 8 / bits_of(own_));
    widen(own_, elements, values_);
    codes_.resize(values_.size() * bits_of(other_) / 8);
    narrow(other_, values_, codes_);
    rounded_.add(codes_);
  }
  Hash128 as_stored() const { return as_stored_.finish(); }
  Hash128 rounded() const { return rounded_.finish(); }

 private:
  Dtype own_, other_;
  bool converts_;
  ContentHash as_stored_, rounded_;
  std::vector<double> values_;
  std::vector<std::byte> codes_;
};

/// `either`: the finer side says no more than the coarser one, so none need be the rounded one.
enum class Outcome : std::uint8_t { different, equal, candidate_rounded, base_rounded, either };

class ReencodingMeasurement final : public Measurement {
 public:
  explicit ReencodingMeasurement(std::span<const Input> inputs)
      : same_type_(inputs[0].dtype == inputs[1].dtype),
        sides_{ReencodedSide(inputs[0].dtype, inputs[1].dtype),
               ReencodedSide(inputs[1].dtype, inputs[0].dtype)} {}

  void take_elements(std::size_t input, std::span<const std::byte> elements) override {
    sides_[input].take(elements);
  }

  Features finish() override {
    Features out;
    out.counts["outcome"] = static_cast<std::uint64_t>(outcome());
    return out;
  }

 private:
  Outcome outcome() const {
    const Hash128 base = sides_[0].as_stored(), candidate = sides_[1].as_stored();
    if (same_type_) return base == candidate ? Outcome::equal : Outcome::different;
    const bool forwards = sides_[0].rounded() == candidate, backwards = sides_[1].rounded() == base;
    if (forwards && backwards) return Outcome::either;
    if (forwards) return Outcome::candidate_rounded;
    return backwards ? Outcome::base_rounded : Outcome::different;
  }

  bool same_type_;
  std::array<ReencodedSide, 2> sides_;
};

bool counts(const Matrix& matrix) { return matrix.role.part != Part::buffer; }

/// Matrices of a model by the path that no other one has: tensors without a role go by their names.
std::map<std::string, std::uint32_t> matrices_by_path(const Model& model) {
  std::map<std::string, std::uint32_t> out;
  for (std::uint32_t i = 0; i < model.matrices.size(); ++i)
    if (counts(model.matrices[i])) out.emplace(path_of(model.matrices[i], model.checkpoint), i);
  return out;
}

/// Of two types that hold the same values the one with fewer bits; of bf16 and f16 the former.
Dtype coarser(Dtype one, Dtype other) {
  if (bits_of(one) != bits_of(other)) return bits_of(one) < bits_of(other) ? one : other;
  return Dtype::bf16;
}

class ReencodingAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return "reencoding"; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const ModelPair& pair,
                                const std::map<std::string, double>& options) const override {
    const auto wanted = options.find("layers");
    std::vector<Subject> out;
    const auto of_candidate = matrices_by_path(*pair.candidate);
    for (const auto& [path, i] : matrices_by_path(*pair.base)) {
      const Matrix& matrix = pair.base->matrices[i];
      if (wanted != options.end() && (wanted->second != 0) != (matrix.role.layer >= 0)) continue;
      const auto found = of_candidate.find(path);
      if (found == of_candidate.end() || pair.equal.contains(path)) continue;
      const Matrix& other = pair.candidate->matrices[found->second];
      const Dtype base = dtype_of(*pair.base, matrix), candidate = dtype_of(*pair.candidate, other);
      if (other.rows != matrix.rows || other.cols != matrix.cols) continue;
      if (base != candidate && !(is_plain_float(base) && is_plain_float(candidate))) continue;
      out.push_back({.analyzer = {}, .path = path, .matrices = {i, pair.first_of_candidate + found->second}});
    }
    return out;
  }

  Cost cost(const Subject&, std::span<const Input> inputs) const override {
    const bool converts = inputs[0].dtype != inputs[1].dtype;
    const auto elements = static_cast<double>(inputs[0].rows * inputs[0].cols);
    return {.flops = elements * (converts ? 100 : 1), .memory = 3 << 20, .decomposition = {}};
  }

  std::unique_ptr<Measurement> begin(const Subject&, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    return std::make_unique<ReencodingMeasurement>(inputs);
  }
};

}  // namespace

const PairAnalyzer& reencoding_analyzer() {
  static const ReencodingAnalyzer analyzer;
  return analyzer;
}

Evidence reencoding_evidence(const Reencoding& found) {
  Evidence out;
  out.method = "reencoding";
  out.statistic = "share of weights that are equal, or equal after rounding";
  out.null = "none valid";
  if (found.weights == 0) {
    out.abstain = "unsupported";
  } else {
    out.score = static_cast<double>(found.equal + found.rounded) / static_cast<double>(found.weights);
  }
  out.detail_json = JsonObject()
                        .add("weights", found.weights)
                        .add("equal", found.equal)
                        .add("rounded", found.rounded)
                        .add("coarser", found.coarser)
                        .add("only_in_one", found.alone)
                        .add("failed", found.failed)
                        .text();
  return out;
}

Reencoding reencoding_of(const ModelPair& pair, const FeatureSource& features) {
  Reencoding out;
  std::set<std::string> paths;
  for (const Model* model : {pair.base, pair.candidate})
    for (const auto& [path, i] : matrices_by_path(*model)) paths.insert(path);
  out.weights = paths.size();
  std::uint64_t forwards = 0, backwards = 0, compared = 0;
  for (const std::string& path : pair.equal) compared += paths.contains(path);
  out.equal = compared;
  for (const Subject& subject : reencoding_analyzer().subjects(pair, {})) {
    ++compared;
    const auto found = features("reencoding", subject.path);
    if (!found || found->status != Status::ok) {
      ++out.failed;
      continue;
    }
    const Dtype base = dtype_of(*pair.base, pair.base->matrices[subject.matrices[0]]);
    const Dtype candidate =
        dtype_of(*pair.candidate, pair.candidate->matrices[subject.matrices[1] - pair.first_of_candidate]);
    switch (static_cast<Outcome>(found->counts.at("outcome"))) {
      case Outcome::different:
        break;
      case Outcome::equal:
        ++out.equal;
        break;
      case Outcome::candidate_rounded:
        ++out.rounded, ++forwards;
        out.coarser = name_of(candidate);
        break;
      case Outcome::base_rounded:
        ++out.rounded, ++backwards;
        out.coarser = name_of(base);
        break;
      case Outcome::either:
        ++out.rounded;
        if (forwards + backwards == 0) out.coarser = name_of(coarser(base, candidate));
        break;
    }
  }
  out.alone = out.weights - compared;
  if (forwards > 0 && backwards == 0) out.direction = 1;
  if (backwards > 0 && forwards == 0) out.direction = -1;
  return out;
}

}  // namespace stemma
