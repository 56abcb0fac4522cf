// How large are the neurons of one layer's MLP, whatever scale up and down have agreed on?
#include <cmath>

#include "analyzers/intrinsic_parts.hpp"
#include "analyzers/numerics/dot.hpp"
#include "analyzers/numerics/exact_sum.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

namespace {

/// Readers give |row i|^2 per neuron; the writer, when there is one, |column i|^2 per neuron.
class NeuronMeasurement : public Measurement {
 public:
  NeuronMeasurement(std::span<const Input> inputs, Gains gains) : gains_(std::move(gains)) {
    const auto reader =
        input_of(inputs, {Part::mlp_up, Part::moe_expert_up, Part::mlp_gate, Part::moe_expert_gate});
    const auto writer = input_of(inputs, {Part::mlp_down, Part::moe_expert_down});
    blocks_.resize(inputs.size());
    alone_ = reader && !writer && input_of(inputs, {Part::mlp_gate, Part::moe_expert_gate}).has_value();
    problem_ = why_not(inputs, reader, writer);
    if (!problem_.empty()) return;
    const Input& in = inputs[*reader];
    row_squares_.resize(in.rows);
    blocks_[*reader].emplace(in.dtype, in.rows, in.cols, 1, gains_.reader(),
                             [this](std::uint64_t row, std::uint64_t, std::span<double> values) {
                               row_squares_[row] = dot(values, values);
                             });
    if (alone_) return;
    const Input& out = inputs[*writer];
    writer_rows_ = static_cast<double>(out.rows);
    column_squares_.resize(out.cols);
    column_sums_.resize(out.cols);
    blocks_[*writer].emplace(out.dtype, out.rows, out.cols, 1, gains_.writer(),
                             [this](std::uint64_t, std::uint64_t, std::span<double> values) {
                               for (std::size_t i = 0; i < values.size(); ++i) {
                                 column_squares_[i] += values[i] * values[i];
                                 column_sums_[i] += values[i];
                               }
                             });
  }

  void take(std::size_t input, const Panel& panel) override {
    if (blocks_[input]) blocks_[input]->take(panel);
  }

  Features finish() override {
    return square_norm_features(problem_.empty() ? square_norm() : missing, problem_);
  }

 private:
  std::string why_not(std::span<const Input> inputs, std::optional<std::size_t> reader,
                      std::optional<std::size_t> writer) const {
    if (!reader || (!writer && !alone_)) return "up or down is missing (a neuron needs both)";
    if (!gains_.pre.empty() && gains_.pre.size() != inputs[*reader].cols) {
      return "norm gains and weights differ in width";
    }
    if (alone_) return "";
    if (inputs[*reader].rows != inputs[*writer].cols) return "up and down differ in the number of neurons";
    const bool fits = gains_.post.empty() || gains_.post.size() == inputs[*writer].rows;
    return fits ? "" : "norm gains and weights differ in width";
  }

  double square_norm() const {
    ExactSum products, total;
    for (std::size_t i = 0; i < row_squares_.size(); ++i) {
      if (alone_) {
        products.add(row_squares_[i]);
        continue;
      }
      // LayerNorm: the stream loses its mean, so the writer's columns do.
      const double mean_part = gains_.layer_norm ? column_sums_[i] * column_sums_[i] / writer_rows_ : 0;
      const double square = column_squares_[i] - mean_part;
      products.add(row_squares_[i] * square);
      total.add(square);
    }
    // A norm behind the writer removes its scale: compare writers of unit Frobenius norm.
    return gains_.post.empty() ? products.value() : products.value() / total.value();
  }

  Gains gains_;
  bool alone_ = false;  ///< gate: no writer belongs to it
  std::vector<std::optional<FoldedBlocks>> blocks_;
  std::vector<double> row_squares_, column_squares_, column_sums_;
  double writer_rows_ = 0;
  std::string problem_;
};

}  // namespace

std::unique_ptr<Measurement> neuron_measurement(std::span<const Input> inputs, Gains gains) {
  return std::make_unique<NeuronMeasurement>(inputs, std::move(gains));
}

}  // namespace stemma
