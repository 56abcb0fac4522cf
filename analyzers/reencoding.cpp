// A rounded copy has the hash of its rounded original.
#include "analyzers/reencoding.hpp"

#include <array>
#include <set>

#include "analyzers/content_hash.hpp"
#include "analyzers/json_text.hpp"
#include "io/model/narrow.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

bool is_plain(Dtype dtype) {
  return dtype == Dtype::bf16 || dtype == Dtype::f16 || dtype == Dtype::f32 || dtype == Dtype::f64;
}

/// One side: its own hash, and that of its values rounded to the type of the other.
class Side {
 public:
  Side(Dtype own, Dtype other) : own_(own), other_(other), converts_(own != other) {}

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

enum class Outcome : std::uint8_t { different, equal, candidate_rounded, base_rounded };

class Measuring final : public Measurement {
 public:
  explicit Measuring(std::span<const Input> inputs)
      : same_type_(inputs[0].dtype == inputs[1].dtype),
        sides_{Side(inputs[0].dtype, inputs[1].dtype), Side(inputs[1].dtype, inputs[0].dtype)} {}

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
    if (sides_[0].rounded() == candidate) return Outcome::candidate_rounded;
    if (sides_[1].rounded() == base) return Outcome::base_rounded;
    return Outcome::different;
  }

  bool same_type_;
  std::array<Side, 2> sides_;
};

bool counts(const Matrix& matrix) { return matrix.role.part != Part::buffer; }

class ReencodingAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return "reencoding"; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const ModelPair& pair,
                                const std::map<std::string, double>& options) const override {
    const auto wanted = options.find("layers");
    std::vector<Subject> out;
    for (const Matrix& matrix : pair.base->matrices) {
      if (!counts(matrix)) continue;
      if (wanted != options.end() && (wanted->second != 0) != (matrix.role.layer >= 0)) continue;
      const auto both = pair.find(matrix.role);
      if (!both || pair.equal.contains(path_of(matrix.role))) continue;
      const Matrix& other = pair.candidate_matrix(*both);
      const Dtype base = pair.base->checkpoint.tensors[matrix.tensor].dtype,
                  candidate = pair.candidate->checkpoint.tensors[other.tensor].dtype;
      if (other.rows != matrix.rows || other.cols != matrix.cols) continue;
      if (base != candidate && !(is_plain(base) && is_plain(candidate))) continue;
      out.push_back(
          {.analyzer = {}, .path = path_of(matrix.role), .matrices = {both->base, both->candidate}});
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
    return std::make_unique<Measuring>(inputs);
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
  std::set<Role> roles;
  for (const Model* model : {pair.base, pair.candidate})
    for (const Matrix& matrix : model->matrices)
      if (counts(matrix)) roles.insert(matrix.role);
  out.weights = roles.size();
  std::uint64_t forwards = 0, backwards = 0, compared = 0;
  for (const std::string& role : pair.equal) out.equal += role_at(role) && roles.contains(*role_at(role));
  for (const Subject& subject : reencoding_analyzer().subjects(pair, {})) {
    ++compared;
    const auto found = features("reencoding", subject.path);
    if (!found || found->status != Status::ok) {
      ++out.failed;
      continue;
    }
    const auto both = pair.find(*role_at(subject.path));
    const auto type = [](const Model& model, const Matrix& matrix) {
      return std::string(name_of(model.checkpoint.tensors[matrix.tensor].dtype));
    };
    switch (static_cast<Outcome>(found->counts.at("outcome"))) {
      case Outcome::different:
        break;
      case Outcome::equal:
        ++out.equal;
        break;
      case Outcome::candidate_rounded:
        ++out.rounded, ++forwards;
        out.coarser = type(*pair.candidate, pair.candidate_matrix(*both));
        break;
      case Outcome::base_rounded:
        ++out.rounded, ++backwards;
        out.coarser = type(*pair.base, pair.base_matrix(*both));
        break;
    }
  }
  out.alone = out.weights - std::min(out.weights, compared + pair.equal.size());
  if (forwards > 0 && backwards == 0) out.direction = 1;
  if (backwards > 0 && forwards == 0) out.direction = -1;
  return out;
}

}  // namespace stemma
