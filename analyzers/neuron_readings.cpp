// Readers answer row by row; what down answers is summed over its rows. Blocks of rows have one height, so
// that every way of reading gives the same bits.
#include "analyzers/neuron_readings.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/dot.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/packed_bytes.hpp"
#include "analyzers/rank_correlation.hpp"
#include "analyzers/subject_parts.hpp"
#include "analyzers/token_rows.hpp"
#include "io/archive/evidence.hpp"
#include "io/archive/neuron_sketch.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t neuron_block_rows = 64;
/// Neurons with a smaller share of the median product of norms are dead: they have no direction.
constexpr double dead_neuron = 1e-6;

/// |Spearman correlation| of lengths with their places; what is no number does not hide that others are
/// sorted.
double order_of(std::vector<double> lengths) {
  std::erase_if(lengths, [](double x) { return !std::isfinite(x); });
  return std::abs(rank_correlation_with_place(lengths));
}

/// Answers of all neurons of one kind of weight, one contiguous row per neuron.
class Answers {
 public:
  Answers(std::uint64_t units, std::size_t anchors) : anchors_(anchors), values_(units * anchors) {}

  /// Rows [first, first + rows) of a reader: values row-major, rows x width.
  void read(const TokenRows& tokens, std::uint64_t first, std::uint64_t rows,
            std::span<const double> values) {
    tokens.answer(values, rows, std::span(values_).subspan(first * anchors_));
  }
  /// Rows [first, first + rows) of a writer, `width` the length of a token's row.
  void write(const TokenRows& tokens, std::uint64_t width, std::uint64_t first, std::uint64_t rows,
             std::span<const double> values) {
    const std::uint64_t units = values.size() / std::max<std::uint64_t>(rows, 1);
    dgemm(Transpose::yes, Transpose::yes, anchors_, units, rows, 1, &tokens.values()[first], width,
          values.data(), units, 1, values_.data(), anchors_);
  }
  std::span<const double> of(std::size_t unit) const {
    return std::span(values_).subspan(unit * anchors_, anchors_);
  }
  bool finite(std::size_t unit) const {
    return std::ranges::all_of(of(unit), [](double x) { return std::isfinite(x); });
  }

 private:
  std::size_t anchors_;
  std::vector<double> values_;
};

/// One row of answers as bytes.
void append_bytes(std::span<const double> answers, const std::vector<bool>& empty,
                  std::vector<std::int8_t>& out) {
  const std::vector<std::int8_t> bytes = as_bytes_of_largest(answers);
  for (std::size_t t = 0; t < bytes.size(); ++t) out.push_back(empty[t] ? no_reading : bytes[t]);
}

class NeuronReadings : public Measurement {
 public:
  NeuronReadings(const Subject& subject, std::span<const Input> inputs,
                 std::span<const std::vector<double>> companions)
      : gains_(subject, companions), kept_(parameter(subject, "kept")) {
    const auto gate = input_of(inputs, {Part::mlp_gate, Part::moe_expert_gate});
    const auto up = input_of(inputs, {Part::mlp_up, Part::moe_expert_up});
    const auto down = input_of(inputs, {Part::mlp_down, Part::moe_expert_down});
    blocks_.resize(inputs.size());
    gated_ = gate.has_value();
    problem_ = why_not(inputs, gate, up, down);
    if (!problem_.empty()) return;
    units_ = inputs[*up].rows;
    width_ = inputs[*up].cols;
    take_tokens(subject, companions);
    if (!problem_.empty()) return;
    const std::size_t anchors = embedding_.count();
    first_.emplace(units_, anchors);
    second_.emplace(units_, anchors);
    if (gate) read(inputs[*gate], *gate, *first_, gate_squares_);
    read(inputs[*up], *up, gated_ ? *second_ : *first_, up_squares_);
    write(inputs[*down], *down);
  }

  void take(std::size_t input, const Panel& panel) override {
    if (blocks_[input]) blocks_[input]->take(panel);
  }

  Features finish() override {
    Features features;
    features.problem = problem_;
    features.counts["units"] = units_;
    features.counts["gated"] = gated_ ? 1 : 0;
    features.counts["anchors"] = problem_.empty() ? embedding_.count() : 0;
    features.numbers["order"] = missing;
    for (const char* name : {"unit", "first", "second"}) features.integers[name];
    for (const char* name : {"norm_first", "norm_product"}) features.reals[name];
    if (problem_.empty()) keep_largest(features);
    return features;
  }

 private:
  std::string why_not(std::span<const Input> inputs, std::optional<std::size_t> gate,
                      std::optional<std::size_t> up, std::optional<std::size_t> down) const {
    if (!up || !down) return "up or down is missing (a neuron needs both)";
    const Input& in = inputs[*up];
    const bool fits = inputs[*down].cols == in.rows && inputs[*down].rows == in.cols &&
                      (!gate || (inputs[*gate].rows == in.rows && inputs[*gate].cols == in.cols));
    if (!fits) return "the weights of the MLP differ in width or in the number of neurons";
    const bool gains_fit = (gains_.pre.empty() || gains_.pre.size() == in.cols) &&
                           (gains_.post.empty() || gains_.post.size() == in.cols);
    return gains_fit ? "" : "norm gains and weights differ in width";
  }

  void take_tokens(const Subject& subject, std::span<const std::vector<double>> companions) {
    const std::size_t tokens = gated_ ? 1 : 2;
    problem_ = embedding_.take(companions[companions.size() - tokens], width_, {}, gains_.layer_norm);
    if (gated_ || !problem_.empty()) return;
    std::vector<double> gain;
    if (parameter(subject, "final") == 1)
      gain = gain_of(subject, "final", companions[companions.size() - tokens - 1]);
    problem_ = head_.take(companions.back(), width_, gain, gains_.layer_norm);
  }

  void read(const Input& input, std::size_t index, Answers& answers, std::vector<double>& squares) {
    squares.resize(input.rows);
    blocks_[index].emplace(
        input.dtype, input.rows, input.cols, neuron_block_rows, gains_.reader(),
        [this, &answers, &squares](std::uint64_t first, std::uint64_t rows, std::span<double> values) {
          for (std::uint64_t r = 0; r < rows; ++r)
            squares[first + r] = dot(values.subspan(r * width_, width_), values.subspan(r * width_, width_));
          answers.read(embedding_, first, rows, values);
        });
  }

  void write(const Input& input, std::size_t index) {
    down_squares_.resize(input.cols);
    down_sums_.resize(input.cols);
    blocks_[index].emplace(input.dtype, input.rows, input.cols, neuron_block_rows, gains_.writer(),
                           [this](std::uint64_t first, std::uint64_t rows, std::span<double> values) {
                             for (std::uint64_t r = 0; r < rows; ++r)
                               for (std::uint64_t i = 0; i < units_; ++i) {
                                 const double x = values[r * units_ + i];
                                 down_squares_[i] += x * x;
                                 down_sums_[i] += x;
                               }
                             if (!gated_) second_->write(head_, width_, first, rows, values);
                           });
  }

  void keep_largest(Features& features) const {
    std::vector<double> up(units_), down(units_), size(units_);
    for (std::size_t i = 0; i < units_; ++i) {
      // LayerNorm: the stream loses its mean, so the columns of down do.
      const double mean_part =
          gains_.layer_norm ? down_sums_[i] * down_sums_[i] / static_cast<double>(width_) : 0;
      up[i] = std::sqrt(up_squares_[i]);
      down[i] = std::sqrt(std::max(0.0, down_squares_[i] - mean_part));
      size[i] = up[i] * down[i] * (gated_ ? std::sqrt(gate_squares_[i]) : 1);
    }
    for (const auto& lengths : {gate_squares_, up, down, size}) {
      const double order = order_of(lengths);
      if (!(features.numbers["order"] >= order) && std::isfinite(order)) features.numbers["order"] = order;
    }
    std::vector<std::int8_t> first, second;
    for (const std::uint32_t i : largest(size, features)) {
      features.integers["unit"].push_back(i);
      features.reals["norm_first"].push_back(gated_ ? std::sqrt(gate_squares_[i]) : up[i]);
      features.reals["norm_product"].push_back(up[i] * down[i]);
      append_bytes(first_->of(i), embedding_.empty(), first);
      append_bytes(second_->of(i), gated_ ? embedding_.empty() : head_.empty(), second);
    }
    features.integers["first"] = packed(first);
    features.integers["second"] = packed(second);
  }

  /// Neurons in descending order of size, ties by what they answer, which knows nothing of their places.
  std::vector<std::uint32_t> largest(const std::vector<double>& size, Features& features) const {
    std::vector<std::uint32_t> order;
    std::vector<double> finite;
    for (std::uint32_t i = 0; i < units_; ++i) {
      if (std::isfinite(size[i]) && first_->finite(i) && second_->finite(i)) {
        order.push_back(i);
        finite.push_back(size[i]);
      } else {
        features.status = Status::nonfinite;
      }
    }
    const double usual = median(finite);
    std::erase_if(order, [&](std::uint32_t i) { return !(size[i] > dead_neuron * usual); });
    std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
      if (size[a] != size[b]) return size[a] > size[b];
      if (!std::ranges::equal(first_->of(a), first_->of(b)))
        return std::ranges::lexicographical_compare(first_->of(a), first_->of(b));
      return std::ranges::lexicographical_compare(second_->of(a), second_->of(b));
    });
    order.resize(std::min<std::size_t>(order.size(), kept_));
    return order;
  }

  Gains gains_;
  std::size_t kept_;
  bool gated_ = false;
  std::uint64_t units_ = 0, width_ = 0;
  TokenRows embedding_, head_;
  std::vector<std::optional<FoldedBlocks>> blocks_;
  std::optional<Answers> first_, second_;
  std::vector<double> gate_squares_, up_squares_, down_squares_, down_sums_;
  std::string problem_;
};

}  // namespace

std::unique_ptr<Measurement> neuron_readings(const Subject& subject, std::span<const Input> inputs,
                                             std::span<const std::vector<double>> companions) {
  return std::make_unique<NeuronReadings>(subject, inputs, companions);
}

Cost neuron_readings_cost(const Subject& subject, std::span<const Input> inputs) {
  Cost cost;
  const std::uint64_t anchors = parameter(subject, "anchors");
  std::uint64_t units = 0, width = 0;
  for (const Input& input : inputs) {
    const double elements = static_cast<double>(input.rows) * static_cast<double>(input.cols);
    // Matrix products run several times as fast as the loops that flops are counted in.
    cost.flops += elements * (3 + static_cast<double>(anchors) / 4);
    cost.bytes += elements * bits_of(input.dtype) / 8;
    units = std::max(units, part_of(input) == Part::mlp_up || part_of(input) == Part::moe_expert_up
                                ? input.rows
                                : std::uint64_t{0});
    width = std::max(width, std::min(input.rows, input.cols));
  }
  cost.memory =
      8 * (2 * units * anchors + 4 * units + 2 * anchors * width + 3 * neuron_block_rows * (units + width));
  return cost;
}

}  // namespace stemma
