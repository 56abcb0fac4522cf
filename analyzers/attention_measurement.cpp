// How large are the circuits of one layer's heads, and do its matrices reach beyond the edge of random ones?
#include <fmt/format.h>

#include "analyzers/head_grams.hpp"
#include "analyzers/intrinsic_parts.hpp"
#include "analyzers/numerics/held_matrix.hpp"
#include "analyzers/thresholds.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t writer_block_rows = 64;

/// q and k, or v and o: circuits of the heads and edges of the two matrices.
class AttentionMeasurement : public Measurement {
 public:
  AttentionMeasurement(const Subject& subject, std::span<const Input> inputs, Gains gains)
      : qk_(subject.path.ends_with("/qk")), gains_(std::move(gains)) {
    for (const Input& input : inputs) {
      held_.emplace_back(input.dtype, input.rows, input.cols);
      parts_.push_back(part_of(input));
    }
    blocks_.resize(inputs.size());
    problem_ = why_not(subject, inputs);
    if (!problem_.empty()) return;
    const std::uint64_t heads = parameter(subject, "heads");
    const std::uint64_t kv_heads = parameter(subject, "kv_heads");
    const std::size_t few = *input_of(inputs, {qk_ ? Part::attn_k : Part::attn_v});
    const std::size_t many = *input_of(inputs, {qk_ ? Part::attn_q : Part::attn_o});
    const std::uint64_t width = inputs[few].rows / kv_heads;
    few_.emplace(kv_heads, width);
    many_.emplace(heads, width);
    read_rows(inputs[few], few, *few_);
    if (qk_) {
      read_rows(inputs[many], many, *many_);
    } else {
      writer_rows_ = inputs[many].rows;
      blocks_[many].emplace(inputs[many].dtype, inputs[many].rows, inputs[many].cols, writer_block_rows,
                            gains_.writer(),
                            [this](std::uint64_t, std::uint64_t rows, std::span<double> values) {
                              many_->add_columns(rows, values);
                            });
    }
  }

  void take(std::size_t input, const Panel& panel) override {
    held_[input].take(panel);
    if (blocks_[input]) blocks_[input]->take(panel);
  }

  Features finish() override {
    Features features = square_norm_features(problem_.empty() ? square_norm() : missing, problem_);
    for (std::size_t i = 0; i < held_.size(); ++i) {
      features.numbers[edge_name(parts_[i])] = held_[i].edge_ratio(thresholds::edge_enough);
    }
    return features;
  }

 private:
  static std::string edge_name(Part part) {
    switch (part) {
      case Part::attn_q:
        return "edge_q";
      case Part::attn_k:
        return "edge_k";
      case Part::attn_v:
        return "edge_v";
      default:
        return "edge_o";
    }
  }

  /// Why no circuit can be formed, "" when it can.
  std::string why_not(const Subject& subject, std::span<const Input> inputs) const {
    const std::uint64_t heads = parameter(subject, "heads");
    const std::uint64_t kv_heads = parameter(subject, "kv_heads");
    if (parameter(subject, "twin") == 0) return "circuits were not asked for";
    if (qk_ && parameter(subject, "qk_norm") == 1) {
      return "q and k are normalised per head (their scale means nothing, so the circuit has no size)";
    }
    if (inputs.size() != 2)
      return fmt::format("{} is incomplete (a circuit needs both matrices)", subject.path);
    if (heads == 0 || kv_heads == 0) return "the number of heads is unknown (config.json does not say it)";
    const Input& few = inputs[*input_of(inputs, {Part::attn_k, Part::attn_v})];
    const Input& many = inputs[*input_of(inputs, {Part::attn_q, Part::attn_o})];
    const std::uint64_t many_width = qk_ ? many.rows : many.cols;
    const bool fits = heads % kv_heads == 0 && few.rows % kv_heads == 0 && few.rows > 0 &&
                      many_width == few.rows / kv_heads * heads;
    if (!fits) {
      return fmt::format("{} heads and {} kv heads do not fit matrices of {} and {} features", heads,
                         kv_heads, many_width, few.rows);
    }
    const bool gains_fit = (gains_.pre.empty() || gains_.pre.size() == few.cols) &&
                           (qk_ || gains_.post.empty() || gains_.post.size() == many.rows);
    return gains_fit ? "" : "norm gains and weights differ in width";
  }

  void read_rows(const Input& input, std::size_t index, HeadGrams& grams) {
    blocks_[index].emplace(
        input.dtype, input.rows, input.cols, grams.width(), gains_.reader(),
        [&grams, cols = input.cols](std::uint64_t first_row, std::uint64_t, std::span<double> values) {
          grams.add_rows(first_row, values, cols);
        });
  }

  double square_norm() {
    if (qk_) return circuit_square_norm(*many_, *few_);
    if (gains_.layer_norm) many_->centre_columns(writer_rows_);
    const double norm = circuit_square_norm(*many_, *few_);
    // A norm behind the writer removes its scale: compare writers of unit Frobenius norm.
    return gains_.post.empty() ? norm : norm / many_->trace();
  }

  bool qk_;
  Gains gains_;
  std::vector<HeldMatrix> held_;
  std::vector<Part> parts_;
  std::vector<std::optional<FoldedBlocks>> blocks_;
  std::optional<HeadGrams> few_, many_;
  std::uint64_t writer_rows_ = 0;
  std::string problem_;
};

}  // namespace

std::unique_ptr<Measurement> attention_measurement(const Subject& subject, std::span<const Input> inputs,
                                                   Gains gains) {
  return std::make_unique<AttentionMeasurement>(subject, inputs, std::move(gains));
}

}  // namespace stemma
