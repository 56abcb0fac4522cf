// Both factors are kept for all heads, anchors x features, and multiplied head by head at the end.
#include "analyzers/attention_reading.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/numerics/blas.hpp"
#include "analyzers/packed_bytes.hpp"
#include "analyzers/subject_parts.hpp"
#include "analyzers/token_rows.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t feature_block_rows = 64;

class AttentionReading : public Measurement {
 public:
  AttentionReading(const Subject& subject, std::span<const Input> inputs,
                   std::span<const std::vector<double>> companions)
      : gains_(subject, companions),
        heads_(parameter(subject, "heads")),
        kv_heads_(parameter(subject, "kv_heads")) {
    const auto q = input_of(inputs, {Part::attn_q}), k = input_of(inputs, {Part::attn_k});
    blocks_.resize(inputs.size());
    problem_ = why_not(inputs, q, k);
    if (!problem_.empty()) return;
    width_ = inputs[*k].cols;
    head_size_ = inputs[*k].rows / kv_heads_;
    take_gains(subject, companions);
    if (problem_.empty())
      problem_ = tokens_.take(some_rows(companions.back(), subject), width_, {}, gains_.layer_norm);
    if (!problem_.empty()) return;
    read(inputs[*q], *q, queries_);
    read(inputs[*k], *k, keys_);
  }

  void take(std::size_t input, const Panel& panel) override {
    if (blocks_[input]) blocks_[input]->take(panel);
  }

  Features finish() override {
    Features features;
    features.problem = problem_;
    features.counts["anchors"] = problem_.empty() ? tokens_.count() : 0;
    features.integers["reading"];
    if (!problem_.empty()) return features;
    const std::vector<double> reading = sum_over_heads();
    if (std::ranges::all_of(reading, [](double x) { return std::isfinite(x); }))
      features.integers["reading"] = packed(as_bytes_of_largest(reading));
    else
      features.status = Status::nonfinite;
    return features;
  }

 private:
  std::string why_not(std::span<const Input> inputs, std::optional<std::size_t> q,
                      std::optional<std::size_t> k) const {
    if (!q || !k) return "q or k is missing (a circuit needs both)";
    if (heads_ == 0 || kv_heads_ == 0) return "the number of heads is unknown (config.json does not say it)";
    const bool fits = heads_ % kv_heads_ == 0 && inputs[*k].rows % kv_heads_ == 0 && inputs[*k].rows > 0 &&
                      inputs[*q].rows == inputs[*k].rows / kv_heads_ * heads_ &&
                      inputs[*q].cols == inputs[*k].cols;
    if (!fits) return "heads do not fit the shapes of q and k";
    return gains_.pre.empty() || gains_.pre.size() == inputs[*k].cols
               ? ""
               : "norm gains and weights differ in width";
  }

  /// Gains of the norms of q and k, one per feature of a head, or one for each feature of all heads.
  void take_gains(const Subject& subject, std::span<const std::vector<double>> companions) {
    std::size_t next = parameter(subject, "pre");
    head_gain_.assign(heads_ * head_size_, 1);
    for (const char* name : {"q_gain", "k_gain"}) {
      if (parameter(subject, name) == 0) continue;
      normed_ = true;
      const std::vector<double> gain = gain_of(subject, name, companions[next++]);
      const bool of_q = std::string_view(name) == "q_gain";
      const std::uint64_t all = (of_q ? heads_ : kv_heads_) * head_size_;
      if (gain.size() != head_size_ && gain.size() != all) {
        problem_ = "gains of the norms of q and k do not fit the heads";
        return;
      }
      for (std::uint64_t h = 0; h < heads_; ++h)
        for (std::uint64_t i = 0; i < head_size_; ++i) {
          const std::uint64_t head = of_q ? h : h / (heads_ / kv_heads_);
          head_gain_[h * head_size_ + i] *= gain[gain.size() == head_size_ ? i : head * head_size_ + i];
        }
    }
  }

  /// Rows of those anchors that attention is asked about.
  std::vector<double> some_rows(const std::vector<double>& all, const Subject& subject) const {
    std::vector<double> rows;
    if (all.size() != parameter(subject, "anchors") * width_) return rows;
    for (const std::uint32_t anchor :
         attention_anchors(parameter(subject, "anchors"), parameter(subject, "by_string")))
      rows.insert(rows.end(), all.begin() + static_cast<std::ptrdiff_t>(anchor * width_),
                  all.begin() + static_cast<std::ptrdiff_t>((anchor + 1) * width_));
    return rows;
  }

  /// Answers of the features of a reader, contiguous by feature.
  void read(const Input& input, std::size_t index, std::vector<double>& answers) {
    answers.resize(input.rows * tokens_.count());
    blocks_[index].emplace(
        input.dtype, input.rows, input.cols, feature_block_rows, gains_.reader(),
        [this, &answers](std::uint64_t first, std::uint64_t rows, std::span<double> values) {
          tokens_.answer(values, rows, std::span(answers).subspan(first * tokens_.count()));
        });
  }

  std::vector<double> sum_over_heads() {
    const std::uint64_t n = tokens_.count();
    std::vector<double> sum(n * n), one(n * n), query(n * head_size_);
    for (std::uint64_t h = 0; h < heads_; ++h) {
      for (std::uint64_t i = 0; i < head_size_; ++i)
        for (std::uint64_t t = 0; t < n; ++t)
          query[i * n + t] = queries_[(h * head_size_ + i) * n + t] * head_gain_[h * head_size_ + i];
      const double* key = &keys_[h / (heads_ / kv_heads_) * head_size_ * n];
      // Column-major n x features on both sides: the product is keys x queries, row-major by query.
      dgemm(Transpose::no, Transpose::yes, n, n, head_size_, 1, key, n, query.data(), n, 0, one.data(), n);
      centre_rows(one, n);
      centre_columns(one, n);
      double scale = 1;
      if (normed_) {
        double square = 0;
        for (const double x : one) square += x * x;
        scale = square > 0 ? 1 / std::sqrt(square) : 0;
      }
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += scale * one[i];
    }
    return sum;
  }

  Gains gains_;
  std::uint64_t heads_, kv_heads_, head_size_ = 0, width_ = 0;
  bool normed_ = false;
  TokenRows tokens_;
  std::vector<std::optional<FoldedBlocks>> blocks_;
  std::vector<double> queries_, keys_, head_gain_;
  std::string problem_;
};

}  // namespace

std::unique_ptr<Measurement> attention_reading(const Subject& subject, std::span<const Input> inputs,
                                               std::span<const std::vector<double>> companions) {
  return std::make_unique<AttentionReading>(subject, inputs, companions);
}

Cost attention_reading_cost(const Subject& subject, std::span<const Input> inputs) {
  Cost cost;
  const std::uint64_t anchors =
      attention_anchors(parameter(subject, "anchors"), parameter(subject, "by_string")).size();
  for (const Input& input : inputs) {
    const double elements = static_cast<double>(input.rows) * static_cast<double>(input.cols);
    // Matrix products run several times as fast as the loops that flops are counted in.
    cost.flops += elements * (1 + static_cast<double>(anchors) / 4);
    cost.bytes += elements * bits_of(input.dtype) / 8;
    cost.memory += 8 * (anchors * (input.rows + input.cols) + feature_block_rows * input.cols);
  }
  cost.memory += 16 * anchors * anchors;
  return cost;
}

}  // namespace stemma
