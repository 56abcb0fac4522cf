// Matrices are kept as stored and widened only while they are worked on.
#include "analyzers/origin_measurement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "analyzers/folding.hpp"
#include "analyzers/held_inputs.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/origin_circuit.hpp"
#include "analyzers/origin_rounding.hpp"
#include "analyzers/origin_tensor.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/stream_alignment.hpp"

namespace stemma {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::uint64_t count(const Subject& subject, const char* name) {
  return static_cast<std::uint64_t>(subject.parameters.at(name));
}

OriginKind kind_of(const Subject& subject) {
  return static_cast<OriginKind>(static_cast<int>(subject.parameters.at("reading")));
}

AttentionShape shape_of(const Subject& subject) {
  return {count(subject, "width"), count(subject, "heads"), count(subject, "kv_heads"),
          count(subject, "head_width")};
}

OriginOptions options_of(const Subject& subject) {
  OriginOptions options;
  if (const auto rank = subject.parameters.find("max_rank"); rank != subject.parameters.end())
    options.max_rank = static_cast<std::uint64_t>(rank->second);
  if (const auto seed = subject.parameters.find("seed"); seed != subject.parameters.end())
    options.seed = static_cast<std::uint64_t>(seed->second);
  return options;
}

Features features_of(const std::vector<double>& values, const RankReading& rank, OriginLabel label,
                     double delta, double update, double cosine) {
  Features out;
  out.counts = {{"label", static_cast<std::uint64_t>(label)},
                {"rank", rank.rank},
                {"limit", rank.limit},
                {"significant", rank.significant}};
  out.numbers = {
      {"ratio", rank.ratio}, {"first", rank.first}, {"behind", rank.behind}, {"noise_edge", rank.noise_edge},
      {"delta", delta},      {"update", update},    {"cosine", cosine}};
  const std::size_t kept = std::min<std::size_t>(values.size(), rank.limit + thresholds::origin_spare_values);
  out.reals["values"].assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(kept));
  return out;
}

Features nonfinite() {
  Features out;
  out.status = Status::nonfinite;
  return out;
}

class OriginMeasurement final : public Measurement {
 public:
  OriginMeasurement(Subject subject, std::span<const Input> inputs,
                    std::span<const std::vector<double>> companions)
      : subject_(std::move(subject)), held_(inputs) {
    const bool gains = subject_.parameters.contains("gains") && count(subject_, "gains") != 0;
    if (gains) {
      base_gain_ = effective_gain(companions[0], subject_.parameters.at("gain_offset_base"));
      candidate_gain_ = effective_gain(companions[1], subject_.parameters.at("gain_offset_candidate"));
    }
    const auto change = static_cast<StreamChange>(count(subject_, "change"));
    // Coordinates that nobody could find are taken as they are.
    alignment_ = alignment_with(
        change == StreamChange::unaligned ? StreamChange::identity : change,
        change == StreamChange::unaligned ? 1 : subject_.parameters.at("scale"), count(subject_, "width"),
        companions.size() > (gains ? 2U : 0U) ? std::span(companions.back()) : std::span<const double>());
  }

  void take(std::size_t input, const Panel& panel) override { held_.take(input, panel); }

  Features finish() override {
    switch (kind_of(subject_)) {
      case OriginKind::tensor:
        return tensor();
      case OriginKind::row_space:
        return row_space();
      case OriginKind::circuit:
      case OriginKind::control:
        break;
    }
    return circuit();
  }

 private:
  bool moved() const { return alignment_.change != StreamChange::identity || alignment_.scale != 1; }

  Features circuit() {
    const AttentionShape shape = shape_of(subject_);
    std::vector<double> base_value = held_.values(0), base_output = held_.values(1);
    std::vector<double> value = held_.values(2), output = held_.values(3);
    for (const auto* values : {&base_value, &base_output, &value, &output})
      if (!all_finite(*values)) return nonfinite();
    const Edges of_base = noise_edges({base_value, base_output, base_gain_}, 0, 1),
                of_candidate = noise_edges({value, output, candidate_gain_}, 2, alignment_.scale);
    fold(base_value, base_gain_, base_output, shape);
    fold(value, candidate_gain_, output, shape);
    if (moved()) {
      value = aligned_reader(alignment_, value, shape.inner());
      output = aligned_writer(alignment_, output, shape.heads * shape.head_width);
    }
    // The rounding of whichever model was made from the other is in the difference, and which one was is not
    // known: an update may show above the smaller null, all else is held against the larger.
    auto read = read_circuit(shape, {base_value, base_output, {}}, {value, output, {}},
                             std::min(of_base.types, of_candidate.types), options_of(subject_));
    if (!read) return nonfinite();
    const double larger = std::max(of_base.codes, of_candidate.codes);
    if (!std::isfinite(larger)) return nonfinite();
    if (read->label != OriginLabel::low_rank && larger > read->rank.noise_edge) {
      read->rank = read_rank(read->values, larger, read->rank.limit);
      read->label = origin_label(read->rank, read->delta, read->delta);
    }
    return features_of(read->values, read->rank, read->label, read->delta, nothing, read->cosine);
  }

  /// Rounding nulls of one side as it is stored, `scale` times as large as the other's stream: that of the
  /// types, and where it is quantised that of its codes, else the same.
  struct Edges {
    double types = 0, codes = 0;
  };
  /// Its value matrix is input `first`.
  Edges noise_edges(const ValueOutput& weights, std::size_t first, double scale) const {
    const std::vector<double> value = half_distances(first), output = half_distances(first + 1);
    const Dtype of_value = held_.input(first).dtype, of_output = held_.input(first + 1).dtype;
    const auto edge = [&](std::span<const double> value_halves, std::span<const double> output_halves) {
      return circuit_noise_edge(shape_of(subject_), weights,
                                {{of_value, value_halves}, {of_output, output_halves}},
                                options_of(subject_).seed) /
             scale;
    };
    const double types = edge({}, {});
    return {types, value.empty() && output.empty() ? types : edge(value, output)};
  }

  /// Of an input that is quantised; empty for one that is not.
  std::vector<double> half_distances(std::size_t input) const {
    const auto at = half_distances_of_input(subject_, input);
    return at ? held_.values(*at) : std::vector<double>();
  }

  void fold(std::vector<double>& value, std::span<const double> gain, std::vector<double>& output,
            const AttentionShape& shape) const {
    scale_columns(value, gain);
    if (count(subject_, "centred") == 0) return;
    centre_rows(value, shape.width);
    centre_columns(output, shape.heads * shape.head_width);
  }

  enum class BaseCodes : std::uint8_t { count, left_out };

  /// What `read` says of the first null that shows an update, else of the last: the roundings of both sides,
  /// where they differ the finer one first, as for a circuit. Codes have that of their values' type as well:
  /// a model that was made from codes, by an adapter say, differs from them by nothing else.
  template <class Read>
  Features with_nulls(BaseCodes base, const Read& read) const {
    const std::array halves = {base == BaseCodes::count ? half_distances(0) : std::vector<double>(),
                               half_distances(1)};
    for (const auto& of_side : halves)
      if (!all_finite(of_side)) return nonfinite();
    std::vector<Rounding> nulls = {{held_.input(0).dtype, {}}};
    if (held_.input(1).dtype != held_.input(0).dtype) nulls.push_back({held_.input(1).dtype, {}});
    for (const std::size_t side : {0U, 1U})
      if (!halves.at(side).empty()) nulls.push_back({held_.input(side).dtype, halves.at(side)});
    std::ranges::stable_sort(nulls, {}, coarseness);
    std::optional<TensorReading> found;
    for (const Rounding& rounding : nulls) {
      found = read(rounding);
      if (!found || found->label == OriginLabel::low_rank) break;
    }
    if (!found) return nonfinite();
    return features_of(found->values, found->rank, found->label, found->delta, found->update, nothing);
  }

  /// Codes are coarser than every type, and of two kinds of codes the farther ones.
  static std::pair<double, double> coarseness(const Rounding& rounding) {
    return {norm_of(rounding.half_distances), rounding_step(rounding.dtype, 1)};
  }

  Features tensor() const {
    const Input& input = held_.input(1);
    const std::vector<double> base = held_.values(0), candidate = held_.values(1);
    return with_nulls(BaseCodes::count, [&](const Rounding& rounding) {
      return read_tensor({base, candidate, input.rows, input.cols, rounding}, options_of(subject_));
    });
  }

  Features row_space() {
    const Input& input = held_.input(1);
    std::vector<double> base = held_.values(0), candidate = held_.values(1);
    // The base is turned into the candidate's coordinates: rounding then stays where it happened.
    std::vector<double> base_gain = base_gain_;
    if (moved()) {
      scale_columns(base, base_gain);
      base = turned_reader(alignment_, base, input.rows);
      base_gain.clear();
    }
    // What codes of the base may be off by is known in the base's coordinates alone.
    const bool same = !moved() && base_gain_.empty() && candidate_gain_.empty();
    return with_nulls(same ? BaseCodes::count : BaseCodes::left_out, [&](const Rounding& rounding) {
      return read_row_space({base, candidate, input.rows, input.cols, rounding}, {base_gain, candidate_gain_},
                            options_of(subject_));
    });
  }

  Subject subject_;
  HeldInputs held_;
  std::vector<double> base_gain_, candidate_gain_;
  StreamAlignment alignment_;
};

}  // namespace

Cost origin_cost(const Subject& subject, std::span<const Input> inputs) {
  const OriginKind kind = kind_of(subject);
  const bool one_weight = kind == OriginKind::tensor || kind == OriginKind::row_space;
  const std::size_t matrices = one_weight ? 2 : 4;
  double stored = 0, elements = 0, halves = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double n = static_cast<double>(inputs[i].rows * inputs[i].cols);
    (i < matrices ? elements : halves) += n;
    stored += n * bits_of(inputs[i].dtype) / 8;
  }
  const AttentionShape shape = shape_of(subject);
  const double rank =
      std::min(static_cast<double>(options_of(subject).max_rank + thresholds::origin_spare_values),
               static_cast<double>(shape.width));
  double products = 0, doubles = halves;
  if (one_weight) {  // a block through the difference and back, again and again; three noise edges
    const double sides = static_cast<double>(inputs[0].rows + inputs[0].cols);
    products = 10 * elements * rank / 2;
    doubles += 4.2 * elements + 3 * sides * rank;
  } else {
    const auto d = static_cast<double>(shape.width), inner = 2.0 * static_cast<double>(shape.inner());
    products = 8 * d * inner * inner;
    doubles += 2 * elements + 12 * d * inner;
    const bool moved = count(subject, "change") == static_cast<std::uint64_t>(StreamChange::orthogonal);
    if (moved) doubles += d * d;
  }
  // A product of matrices is ten times as fast as the plain loops that costs are counted in.
  return {.flops = products / 10 + 60 * elements,
          .memory = static_cast<std::uint64_t>(stored),
          .working = static_cast<std::uint64_t>(8 * doubles),
          .decomposition = {}};
}

std::unique_ptr<Measurement> begin_origin(const Subject& subject, std::span<const Input> inputs,
                                          std::span<const std::vector<double>> companions) {
  return std::make_unique<OriginMeasurement>(subject, inputs, companions);
}

}  // namespace stemma
