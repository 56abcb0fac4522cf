// A rounded copy has the hash of its rounded original; codes are looked at one by one.
#include "analyzers/reencoding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "analyzers/content_hash.hpp"
#include "analyzers/json_text.hpp"
#include "analyzers/near_codes.hpp"
#include "analyzers/pair_parts.hpp"
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

/// `either`: the finer side says no more than the coarser one, so none need be the rounded one. `near` and
/// `telling`: as near as codes leave it, and nearer than other rows; `on_codes`: the numbers that codes stand
/// for.
enum class Outcome : std::uint8_t {
  different,
  equal,
  candidate_rounded,
  base_rounded,
  either,
  near,
  telling,
  on_codes
};

class ReencodingMeasurement final : public Measurement {
 public:
  ReencodingMeasurement(const Subject& subject, std::span<const Input> inputs)
      : same_type_(inputs[0].dtype == inputs[1].dtype),
        sides_{ReencodedSide(inputs[0].dtype, inputs[1].dtype),
               ReencodedSide(inputs[1].dtype, inputs[0].dtype)},
        coded_{CodedInput{0, half_distances_of_input(subject, 0)},
               CodedInput{1, half_distances_of_input(subject, 1)}} {
    if (inputs.size() > 2) held_.emplace(inputs);
  }

  void take_elements(std::size_t input, std::span<const std::byte> elements) override {
    if (input < sides_.size()) sides_[input].take(elements);
  }
  void take(std::size_t input, const Panel& panel) override {
    if (held_) held_->take(input, panel);
  }

  Features finish() override {
    Features out;
    Outcome found = outcome();
    if (held_ && found != Outcome::equal) {
      const NearCodes near = compare_codes(*held_, coded_[0], coded_[1]);
      found = near.is_on_codes() ? Outcome::on_codes
              : near.tells()     ? Outcome::telling
              : near.is_near()   ? Outcome::near
                                 : Outcome::different;
      out.numbers = {{"near", near.share}, {"control", near.control}};
    }
    out.counts["outcome"] = static_cast<std::uint64_t>(found);
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
  std::array<CodedInput, 2> coded_;
  std::optional<HeldInputs> held_;  ///< where a side is quantised
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
  int version() const override { return 2; }

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
      if (!is_updated(pair, out.back())) add_half_distances(pair, out.back());
    }
    return out;
  }

  Cost cost(const Subject&, std::span<const Input> inputs) const override {
    const bool converts = inputs[0].dtype != inputs[1].dtype, held = inputs.size() > 2;
    const std::uint64_t elements = inputs[0].rows * inputs[0].cols;
    std::uint64_t stored = 0;
    for (const Input& input : inputs) stored += elements * bits_of(input.dtype) / 8;
    return {.flops = static_cast<double>(elements) * ((converts ? 100 : 1) + (held ? 50 : 0)),
            .memory = (std::uint64_t{3} << 20) + (held ? stored : 0),
            .decomposition = {}};
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    return std::make_unique<ReencodingMeasurement>(subject, inputs);
  }

 private:
  /// What was added to codes is known, however small it is beside them: no copy.
  static bool is_updated(const ModelPair& pair, const Subject& subject) {
    return std::ranges::any_of(subject.matrices, [&](std::uint32_t matrix) {
      const ModelPair::Codes* codes = pair.codes_of(matrix);
      return codes != nullptr && codes->updated;
    });
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
  out.statistic = "share of weights that are equal, or equal after rounding, also to codes";
  out.null = "none valid";
  if (found.weights == 0) {
    out.abstain = "unsupported";
  } else {
    out.score = static_cast<double>(found.equal + found.rounded + found.quantised) /
                static_cast<double>(found.weights);
    out.control = found.farthest_control;
  }
  out.detail_json = JsonObject()
                        .add("weights", found.weights)
                        .add("equal", found.equal)
                        .add("rounded", found.rounded)
                        .add("quantised", found.quantised)
                        .add("nearest", found.nearest)
                        .add("coarser", found.coarser)
                        .add("only_in_one", found.alone)
                        .add("failed", found.failed)
                        .text();
  return out;
}

namespace {

/// Adds up what was found of one weight after the other.
class Tally {
 public:
  explicit Tally(const ModelPair& pair) : pair_(pair) {}

  void add(const Subject& subject, const Features& found) {
    const Dtype base = dtype_of(*pair_.base, pair_.base->matrices[subject.matrices[0]]);
    const Dtype candidate =
        dtype_of(*pair_.candidate, pair_.candidate->matrices[subject.matrices[1] - pair_.first_of_candidate]);
    const auto outcome = static_cast<Outcome>(found.counts.at("outcome"));
    switch (outcome) {
      case Outcome::different:
        break;
      case Outcome::equal:
        ++sum_.equal;
        break;
      case Outcome::candidate_rounded:
        ++sum_.rounded, ++forwards_;
        ++coarser_[std::string(name_of(candidate))];
        break;
      case Outcome::base_rounded:
        ++sum_.rounded, ++backwards_;
        ++coarser_[std::string(name_of(base))];
        break;
      case Outcome::either:
        ++sum_.rounded;
        ++either_[std::string(name_of(coarser(base, candidate)))];
        break;
      case Outcome::on_codes:
        ++sum_.rounded;
        ++coarser_[scheme_of(subject)];
        break;
      case Outcome::near:
      case Outcome::telling:
        add_codes(subject, found, outcome);
        break;
    }
  }
  void failed() { ++sum_.failed; }

  Reencoding sum() const {
    Reencoding out = sum_;
    const auto& named = coarser_.empty() ? either_ : coarser_;
    std::vector<std::pair<std::uint64_t, std::string>> by_weights;
    for (const auto& [name, weights] : named) by_weights.emplace_back(weights, name);
    std::ranges::stable_sort(by_weights, std::greater(), [](const auto& entry) { return entry.first; });
    for (std::size_t i = 0; i < by_weights.size() && i < most_names; ++i)
      out.coarser += (i == 0 ? "" : " and in ") + by_weights[i].second;
    if (by_weights.size() > most_names) out.coarser += " and in others";
    if (forwards_ > 0 && backwards_ == 0) out.direction = 1;
    if (backwards_ > 0 && forwards_ == 0) out.direction = -1;
    return out;
  }

 private:
  static constexpr std::size_t most_names = 3;

  /// Numbers come before the codes that were made from them; of two sides with codes neither needs to.
  void add_codes(const Subject& subject, const Features& found, Outcome outcome) {
    const bool base = pair_.codes_of(subject.matrices[0]), candidate = pair_.codes_of(subject.matrices[1]);
    const double near = found.numbers.at("near"), control = found.numbers.at("control");
    ++sum_.quantised;
    ++coarser_[scheme_of(subject)];
    sum_.nearest = std::fmin(sum_.nearest, near);
    if (outcome != Outcome::telling) return;
    ++sum_.telling;
    sum_.farthest_control = std::fmax(sum_.farthest_control, control);
    forwards_ += candidate && !base;
    backwards_ += base && !candidate;
  }

  std::string scheme_of(const Subject& subject) const {
    std::string scheme;
    for (const std::size_t side : {0U, 1U})
      if (const ModelPair::Codes* codes = pair_.codes_of(subject.matrices[side]);
          codes != nullptr && scheme != codes->scheme)
        scheme += (scheme.empty() ? "" : " and in ") + codes->scheme;
    return scheme;
  }

  const ModelPair& pair_;
  Reencoding sum_;
  std::uint64_t forwards_ = 0, backwards_ = 0;
  std::map<std::string, std::uint64_t> coarser_, either_;  ///< weights, by type or scheme of the rounded side
};

}  // namespace

Reencoding reencoding_of(const ModelPair& pair, const FeatureSource& features) {
  std::set<std::string> paths;
  for (const Model* model : {pair.base, pair.candidate})
    for (const auto& [path, i] : matrices_by_path(*model)) paths.insert(path);
  const auto known = static_cast<std::uint64_t>(
      std::ranges::count_if(pair.equal, [&](const std::string& path) { return paths.contains(path); }));
  std::uint64_t compared = known;
  Tally tally(pair);
  for (const Subject& subject : reencoding_analyzer().subjects(pair, {})) {
    ++compared;
    const auto found = features("reencoding", subject.path);
    if (found && found->status == Status::ok) {
      tally.add(subject, *found);
    } else {
      tally.failed();
    }
  }
  Reencoding out = tally.sum();
  out.weights = paths.size();
  out.equal += known;
  out.alone = out.weights - compared;
  return out;
}

}  // namespace stemma
