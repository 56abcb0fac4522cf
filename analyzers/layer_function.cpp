// Few states pass: what costs time are the maps, which their owner multiplies.
#include "analyzers/layer_function.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "analyzers/folding.hpp"

namespace stemma {

namespace {

double root_mean_square(std::span<const double> values) {
  const double square = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  return std::sqrt(square / static_cast<double>(values.size()));
}

double silu(double x) { return x / (1 + std::exp(-x)); }

/// The norm of queries or keys: over blocks as long as its gain.
void pass_norm(std::span<double> rows, std::span<const double> gain) {
  if (gain.empty()) return;
  normalise_rows(rows, gain.size());
  scale_columns(rows, gain);
}

/// Turns the rotary pairs of one head, its first dimensions, by `step` times their angles.
void turn(std::span<double> head, Rope rope, std::uint64_t step, std::span<const double> angles) {
  const std::size_t pairs = head.size() / 2;
  for (std::size_t p = 0; p < pairs; ++p) {
    double& first = rope == Rope::half ? head[p] : head[2 * p];
    double& second = rope == Rope::half ? head[p + pairs] : head[2 * p + 1];
    const double angle = angles[p] * static_cast<double>(step), c = std::cos(angle), s = std::sin(angle);
    const double turned = first * c - second * s;
    second = first * s + second * c;
    first = turned;
  }
}

void turn_all(std::span<double> states, std::uint64_t heads, const AttentionFunction& function,
              const Sequences& sequences) {
  if (function.rope == Rope::none) return;
  const std::uint64_t width = function.shape.head_width, row = heads * width;
  for (std::uint64_t i = 0; i * row < states.size(); ++i)
    for (std::uint64_t h = 0; h < heads; ++h)
      turn(states.subspan(i * row + h * width, function.rotary_width), function.rope, i % sequences.length,
           sequences.angles);
}

/// Queries and keys that are ready to meet, and what they fetch.
class Attending {
 public:
  Attending(const AttentionFunction& function, const Sequences& sequences, std::vector<double> queries,
            std::vector<double> keys, std::span<const double> values)
      : shape_(function.shape),
        length_(sequences.length),
        queries_(std::move(queries)),
        keys_(std::move(keys)),
        values_(values) {
    turn_all(queries_, shape_.heads, function, sequences);
    turn_all(keys_, shape_.kv_heads, function, sequences);
  }

  double sharpness() const {
    std::vector<double> sizes;
    for (std::uint64_t head = 0; head < shape_.heads; ++head) {
      std::vector<double> scores;
      for (std::uint64_t at = 0; at < count(); ++at)
        for (std::uint64_t of = at - at % length_; of <= at; ++of) scores.push_back(score(head, at, of));
      sizes.push_back(root_mean_square(scores));
    }
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::ranges::nth_element(sizes, middle);
    return *middle > 0 ? 2 / *middle : 1;
  }

  void attend(double sharpness, std::vector<double>& attended) const {
    const std::uint64_t width = shape_.head_width;
    std::vector<double> weights(length_);
    for (std::uint64_t at = 0; at < count(); ++at)
      for (std::uint64_t head = 0; head < shape_.heads; ++head) {
        const std::uint64_t first = at - at % length_, some = at - first + 1;
        const auto own = std::span(weights).first(some);
        for (std::uint64_t i = 0; i < some; ++i) own[i] = sharpness * score(head, at, first + i);
        const double most = std::ranges::max(own);
        double sum = 0;
        for (double& weight : own) sum += weight = std::exp(weight - most);
        attended.resize(attended.size() + width);
        double* to = attended.data() + attended.size() - width;
        for (std::uint64_t i = 0; i < some; ++i) {
          const double* value = values_.data() + ((first + i) * shape_.kv_heads + group_of(head)) * width;
          for (std::uint64_t k = 0; k < width; ++k) to[k] += own[i] / sum * value[k];
        }
      }
  }

 private:
  std::uint64_t count() const { return queries_.size() / (shape_.heads * shape_.head_width); }
  std::uint64_t group_of(std::uint64_t head) const { return head / (shape_.heads / shape_.kv_heads); }
  double score(std::uint64_t head, std::uint64_t at, std::uint64_t of) const {
    const std::uint64_t width = shape_.head_width;
    const double* q = queries_.data() + (at * shape_.heads + head) * width;
    const double* k = keys_.data() + (of * shape_.kv_heads + group_of(head)) * width;
    return std::inner_product(q, q + width, k, 0.0);
  }

  AttentionShape shape_;
  std::uint64_t length_;
  std::vector<double> queries_, keys_;
  std::span<const double> values_;
};

}  // namespace

std::vector<double> attention_answers(const AttentionFunction& function, const Sequences& sequences,
                                      std::span<const double> states, std::optional<Sharpness>& sharpness) {
  const AttentionShape& shape = function.shape;
  if (shape.kv_heads == 0 || shape.heads % shape.kv_heads != 0 || function.rope == Rope::mixed ||
      function.rotary_width % 2 != 0 || function.rotary_width > shape.head_width ||
      (function.rope != Rope::none && 2 * sequences.angles.size() < function.rotary_width))
    throw std::invalid_argument("heads come in whole groups, with an angle for each rotary pair");
  std::vector<double> queries = function.query(states), keys = function.key(states);
  const std::vector<double> values = function.value(states);
  const std::uint64_t row = shape.heads * shape.head_width, n = queries.size() / row;
  if (sequences.length == 0 || n % sequences.length != 0 || queries.size() != n * row ||
      keys.size() != n * shape.inner() || values.size() != keys.size())
    throw std::invalid_argument("states fill whole sequences, and their keys and values all kv heads");
  pass_norm(queries, function.query_gain);
  pass_norm(keys, function.key_gain);
  const Attending whole(function, sequences, queries, keys, values);
  centre_columns(queries, row);
  centre_columns(keys, shape.inner());
  const Attending varying(function, sequences, std::move(queries), std::move(keys), values);
  if (!sharpness) sharpness = Sharpness{whole.sharpness(), varying.sharpness()};
  std::vector<double> attended;
  whole.attend(sharpness->whole, attended);
  varying.attend(sharpness->varying, attended);
  return function.output(attended);
}

std::vector<double> mlp_answers(const AffineMap& gate, const AffineMap& up, const AffineMap& down,
                                std::span<const double> states) {
  std::vector<double> neurons = up(states);
  if (gate) {
    const std::vector<double> gates = gate(states);
    for (std::size_t i = 0; i < neurons.size(); ++i) neurons[i] *= silu(gates[i]);
  } else {
    std::ranges::transform(neurons, neurons.begin(), silu);
  }
  return down(neurons);
}

void normalise_rows(std::span<double> rows, std::uint64_t width) {
  for (std::size_t at = 0; at < rows.size(); at += width) {
    const auto row = rows.subspan(at, width);
    const double size = root_mean_square(row);
    if (size > 0)
      for (double& x : row) x /= size;
  }
}

}  // namespace stemma
