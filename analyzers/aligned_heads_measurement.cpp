// A head is two products that no exact change of parameters moves in common coordinates: W_q^T W_k, by which
// it chooses, and W_o W_v, by which it answers. Heads of one group share k and v, so groups are matched
// first, by the sum of their heads' circuits, once by each product; then heads inside groups that agree. No
// product is ever formed: <A^T B, A'^T B'> = sum((A A'^T) o (B B'^T)), o element by element.
#include "analyzers/aligned_heads_measurement.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "analyzers/folding.hpp"
#include "analyzers/held_inputs.hpp"
#include "analyzers/matched_neurons.hpp"
#include "analyzers/mlp_weights.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/mutual_best.hpp"
#include "analyzers/pair_parts.hpp"
#include "io/archive/evidence.hpp"

namespace stemma {

namespace {

enum class Weight : std::uint8_t { query, key, value, output };
constexpr std::size_t weights_of_side = 4;

/// Rows of one weight, as many for each head and as long as the stream is wide.
struct HeadRows {
  std::vector<double> values;
  std::uint64_t heads = 0, width = 0;

  std::uint64_t head_width() const { return values.size() / (heads * width); }
  std::span<const double> head(std::uint64_t h) const {
    return std::span(values).subspan(h * head_width() * width, head_width() * width);
  }
};

/// One kind of circuits of one model: left^T right, where several lefts may share a right.
struct Circuits {
  const HeadRows &left, &right;

  std::uint64_t partner(std::uint64_t head) const { return head * right.heads / left.heads; }
};

double inner_product(const Circuits& a, std::uint64_t i, const Circuits& b, std::uint64_t j) {
  const auto products = [&](std::span<const double> x, std::span<const double> y, std::uint64_t width) {
    const std::uint64_t m = y.size() / width, n = x.size() / width;
    std::vector<double> out(m * n);
    dgemm(Transpose::yes, Transpose::no, m, n, width, 1, y.data(), width, x.data(), width, 0, out.data(), m);
    return out;
  };
  const std::vector<double> left = products(a.left.head(i), b.left.head(j), a.left.width),
                            right = products(a.right.head(a.partner(i)), b.right.head(b.partner(j)),
                                             a.left.width);
  return std::inner_product(left.begin(), left.end(), right.begin(), 0.0);
}

std::vector<double> lengths(const Circuits& circuits, std::span<const std::uint64_t> which) {
  std::vector<double> out;
  for (const std::uint64_t i : which)
    out.push_back(std::sqrt(std::max(0.0, inner_product(circuits, i, circuits, i))));
  return out;
}

/// Cosines of some circuits of a with some of b, row-major; 0 where one is zero.
std::vector<float> cosines(const Circuits& a, std::span<const std::uint64_t> of_a, const Circuits& b,
                           std::span<const std::uint64_t> of_b) {
  const std::vector<double> long_a = lengths(a, of_a), long_b = lengths(b, of_b);
  std::vector<float> out;
  for (std::size_t i = 0; i < of_a.size(); ++i)
    for (std::size_t j = 0; j < of_b.size(); ++j) {
      const double both = long_a[i] * long_b[j];
      out.push_back(both > 0 ? static_cast<float>(inner_product(a, of_a[i], b, of_b[j]) / both) : 0);
    }
  return out;
}

/// The sum over the heads of each group.
HeadRows pooled(const HeadRows& rows, std::uint64_t groups) {
  HeadRows out{std::vector<double>(groups * rows.head_width() * rows.width), groups, rows.width};
  const std::uint64_t one = rows.head_width() * rows.width;
  for (std::uint64_t h = 0; h < rows.heads; ++h) {
    double* to = out.values.data() + h * groups / rows.heads * one;
    for (std::uint64_t i = 0; i < one; ++i) to[i] += rows.head(h)[i];
  }
  return out;
}

std::vector<std::uint64_t> numbers_from(std::uint64_t first, std::uint64_t count) {
  std::vector<std::uint64_t> out(count);
  std::iota(out.begin(), out.end(), first);
  return out;
}

/// q, k, v and o of one side in the coordinates of the base.
struct Attention {
  HeadRows query, key, value, output;

  Circuits choosing() const { return {query, key}; }
  Circuits answering() const { return {output, value}; }
};

/// Two matchings of the same things by two kinds of scores.
struct Matching {
  std::vector<float> first, second;
  std::vector<std::int32_t> by_first, by_second, by_both;

  Matching(std::vector<float> one, std::vector<float> other, std::size_t rows, std::size_t columns)
      : first(std::move(one)), second(std::move(other)) {
    const auto best = [&](std::span<const float> scores) {
      return mutual_best({scores, rows, columns, columns});
    };
    by_first = best(first);
    by_second = best(second);
    std::vector<float> sum(first);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += second[i];
    by_both = best(sum);
  }
};

class HeadsMeasurement final : public Measurement {
 public:
  HeadsMeasurement(Subject subject, std::span<const Input> inputs,
                   std::span<const std::vector<double>> companions)
      : subject_(std::move(subject)),
        held_(inputs),
        companions_(companions.begin(), companions.end()),
        alignment_(map_of(subject_, companions_, number("width"))) {}

  void take(std::size_t input, const Panel& panel) override { held_.take(input, panel); }

  Features finish() override {
    const Attention a = attention(Side::base), b = attention(Side::candidate);
    Features out;
    for (const Attention* side : {&a, &b})
      for (const HeadRows* rows : {&side->query, &side->key, &side->value, &side->output})
        if (!std::isfinite(norm_of(rows->values))) {
          out.status = Status::nonfinite;
          return out;
        }
    const std::uint64_t groups = a.key.heads, others = b.key.heads;
    const Attention of_a{pooled(a.query, groups), a.key, a.value, pooled(a.output, groups)},
        of_b{pooled(b.query, others), b.key, b.value, pooled(b.output, others)};
    const auto rows = numbers_from(0, groups), columns = numbers_from(0, others);
    const Matching found(cosines(of_a.choosing(), rows, of_b.choosing(), columns),
                         cosines(of_a.answering(), rows, of_b.answering(), columns), groups, others);
    NeuronCounts counts = counts_of(found.by_first, found.by_second, found.by_both, others);
    for (const Circuits& kind : {of_a.choosing(), of_a.answering()})
      counts.sorted |= follow_places(lengths(kind, rows));
    for (const Circuits& kind : {of_b.choosing(), of_b.answering()})
      counts.sorted |= follow_places(lengths(kind, columns));
    out.counts = as_features(counts);
    out.counts["heads"] = out.counts["agreeing_heads"] = 0;
    double choosing = 0, answering = 0;
    for (std::size_t i = 0; i < groups; ++i) {
      if (found.by_first[i] == unmatched || found.by_first[i] != found.by_second[i]) continue;
      const auto j = static_cast<std::size_t>(found.by_first[i]);
      choosing += static_cast<double>(found.first[i * others + j]);
      answering += static_cast<double>(found.second[i * others + j]);
      match_heads(a, i, b, j, out);
    }
    const auto n = static_cast<double>(counts.agreeing);
    out.numbers = {{"query_key", counts.agreeing > 0 ? choosing / n : missing},
                   {"value_output", counts.agreeing > 0 ? answering / n : missing}};
    return out;
  }

 private:
  static void match_heads(const Attention& a, std::uint64_t group, const Attention& b, std::uint64_t other,
                          Features& out) {
    const std::uint64_t n = a.query.heads / a.key.heads, m = b.query.heads / b.key.heads;
    const auto rows = numbers_from(group * n, n), columns = numbers_from(other * m, m);
    const Matching found(cosines(a.choosing(), rows, b.choosing(), columns),
                         cosines(a.answering(), rows, b.answering(), columns), n, m);
    out.counts["heads"] += std::min(n, m);
    out.counts["agreeing_heads"] += agreement(found.by_first, found.by_second).same;
  }

  std::uint64_t number(const std::string& name) const {
    return static_cast<std::uint64_t>(subject_.parameters.at(name));
  }
  std::vector<double> gain(Side side, const char* which) const {
    return gain_of(subject_, companions_, side_parameter(side, which));
  }

  Attention attention(Side side) const {
    const std::uint64_t heads = number(side_parameter(side, "heads")),
                        groups = number(side_parameter(side, "kv_heads"));
    return {rows(side, Weight::query, heads), rows(side, Weight::key, groups),
            rows(side, Weight::value, groups), rows(side, Weight::output, heads)};
  }

  /// With norms multiplied in; of o the columns.
  HeadRows rows(Side side, Weight weight, std::uint64_t heads) const {
    const std::uint64_t d = number("width");
    const bool centred = number("centred") != 0;
    std::vector<double> values =
        held_.values((side == Side::base ? 0 : weights_of_side) + static_cast<std::size_t>(weight));
    const std::uint64_t inner = values.size() / d;
    if (weight == Weight::output) {
      values = folded_writer_columns(std::move(values), inner, gain(side, "post"), centred);
    } else {
      values = folded_reader(std::move(values), d, gain(side, "pre"), centred);
      // A norm of every head, or of all of them as one.
      const std::vector<double> of_head = weight == Weight::value
                                              ? std::vector<double>()
                                              : gain(side, weight == Weight::query ? "query" : "key");
      for (std::size_t i = 0; !of_head.empty() && i < values.size(); ++i)
        values[i] *= of_head[i / d % of_head.size()];
    }
    if (side == Side::candidate) values = aligned_reader(alignment_, values, inner);
    return {std::move(values), heads, d};
  }

  Subject subject_;
  HeldInputs held_;
  std::vector<std::vector<double>> companions_;
  StreamAlignment alignment_;
};

}  // namespace

Cost aligned_heads_cost(const Subject& subject, std::span<const Input> inputs) {
  double stored = 0, elements = 0;
  for (const Input& input : inputs) {
    const auto n = static_cast<double>(input.rows * input.cols);
    elements += n;
    stored += n * bits_of(input.dtype) / 8;
  }
  const auto d = subject.parameters.at("width");
  const double inner = static_cast<double>(inputs.front().rows);
  const bool turned = subject.parameters.at("change") == static_cast<double>(StreamChange::orthogonal);
  // Products of all groups, and of all heads of a group that agrees.
  const double products = 8 * inner * inner * d + (turned ? elements * d : 0);
  return {.flops = products / 10 + 20 * elements,
          .memory = static_cast<std::uint64_t>(stored),
          .working = static_cast<std::uint64_t>(8 * 2.5 * elements),
          .decomposition = {}};
}

std::unique_ptr<Measurement> begin_aligned_heads(const Subject& subject, std::span<const Input> inputs,
                                                 std::span<const std::vector<double>> companions) {
  return std::make_unique<HeadsMeasurement>(subject, inputs, companions);
}

}  // namespace stemma
