// Every side answers as it is stored and once more with noise on all of its weights. Weights stay as stored
// and are widened some rows at a time; rows of tables are added up by random signs, which keeps differences.
#include "analyzers/same_function_measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "analyzers/folding.hpp"
#include "analyzers/held_inputs.hpp"
#include "analyzers/layer_function.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/origin_operator.hpp"
#include "analyzers/origin_rounding.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

constexpr std::uint32_t angle_stream = 0x736631, sign_stream = 0x736632, noise_tensors = 0x73660000;
constexpr std::uint64_t rows_at_once = 512, buckets = 256;
/// The draw that adds no noise.
constexpr int as_stored = -1;

double number(const Subject& subject, const std::string& name) { return subject.parameters.at(name); }

std::uint64_t count(const Subject& subject, const std::string& name) {
  return static_cast<std::uint64_t>(number(subject, name));
}

FunctionPart part_of(const Subject& subject) { return static_cast<FunctionPart>(count(subject, "part")); }

std::uint64_t seed_of(const Subject& subject) {
  return subject.parameters.contains("seed") ? count(subject, "seed") : 0;
}

std::uint64_t elements_of(std::span<const Input> inputs) {
  std::uint64_t sum = 0;
  for (const Input& input : inputs) sum += input.rows * input.cols;
  return sum;
}

void add_to(std::span<double> values, std::span<const double> more) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += more[i];
}

/// Adds what rounding may have taken, unless they are wanted as stored. Where something is not finite the
/// answers as stored say so.
void add_rounding(std::span<double> values, Dtype dtype, const RoundingDraw& noise, std::uint64_t first,
                  int draw) {
  if (draw == as_stored || !all_finite(values)) return;
  add_to(values, rounding_noise(dtype, values, noise, first));
}

/// y (count x rows, at column `first` of `width`) = states (count x cols) times rows^T.
void multiply_rows(std::span<const double> rows, std::uint64_t number_of_rows, std::span<const double> states,
                   std::uint64_t cols, double* to, std::uint64_t width) {
  dgemm(Transpose::yes, Transpose::no, number_of_rows, states.size() / cols, cols, 1, rows.data(), cols,
        states.data(), cols, 0, to, width);
}

/// Small vectors of one side, with the noise of a draw where one is given.
class Vectors {
 public:
  Vectors(const Subject& subject, Side side, std::span<const std::vector<double>> companions)
      : subject_(subject), side_(side) {
    for (int i = 0; i < companions_of_side; ++i) {
      const std::string name = companion_parameter(side, i);
      const auto found = subject.parameters.find(name);
      if (found != subject.parameters.end())
        values_[static_cast<std::size_t>(i)] = companions[static_cast<std::size_t>(found->second)];
    }
  }

  /// Empty where the model has none.
  std::vector<double> operator()(Companion companion, int draw, int further = 0) const {
    const int index = static_cast<int>(companion) + further;
    std::vector<double> out = values_[static_cast<std::size_t>(index)];
    if (out.empty()) return out;
    const std::string name = companion_parameter(side_, index);
    add_rounding(out, static_cast<Dtype>(count(subject_, name + "_dtype")),
                 {seed_of(subject_), noise_tensors + 0x100 + static_cast<std::uint32_t>(index),
                  static_cast<std::uint32_t>(draw)},
                 0, draw);
    return effective_gain(out, number(subject_, name + "_offset"));
  }

 private:
  const Subject& subject_;
  Side side_;
  std::array<std::vector<double>, companions_of_side> values_;
};

/// Tokens of one side in two halves: those whose states are asked, and those at which answers are read.
struct Tokens {
  std::vector<double> asked, read_at;
  double size = 0;  ///< Frobenius norm before they were normalised: the scale of the stream

  /// Rows with noise are brought to size by what is stored: noise alone, on a row of zeros, would become a
  /// state like every other.
  Tokens(std::vector<double> stored, std::vector<double> rows, std::uint64_t width, bool centred) {
    if (centred) {
      centre_rows(stored, width);
      centre_rows(rows, width);
    }
    size = norm_of(stored);
    const double unit = std::sqrt(static_cast<double>(width));
    for (std::size_t at = 0; at < rows.size(); at += width) {
      const double row = norm_of(std::span(stored).subspan(at, width));
      for (std::size_t i = at; i < at + width; ++i) rows[i] = row > 0 ? unit * rows[i] / row : 0;
    }
    const auto half = rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2);
    asked.assign(rows.begin(), half);
    read_at.assign(half, rows.end());
  }
};

/// What both kinds of subjects share: tokens, norms, and the verdict on two lists of answers.
class Asking : public Measurement {
 public:
  Asking(Subject subject, std::span<const Input> inputs, std::span<const std::vector<double>> companions)
      : subject_(std::move(subject)),
        inputs_(inputs.begin(), inputs.end()),
        draws_(static_cast<int>(rounding_draws(elements_of(inputs) / 2))),
        vectors_{Vectors(subject_, Side::base, companions), Vectors(subject_, Side::candidate, companions)} {}

 protected:
  static std::size_t index(Side side) { return static_cast<std::size_t>(side); }
  std::size_t inputs_of_side() const { return inputs_.size() / 2; }
  bool centred(Side side) const { return number(subject_, side_parameter(side, "centred")) != 0; }
  std::uint64_t width(Side side) const { return count(subject_, side_parameter(side, "width")); }

  Tokens tokens(Side side, int draw) const {
    const Vectors& of_side = vectors_[index(side)];
    return {of_side(Companion::tokens, as_stored), of_side(Companion::tokens, draw), width(side),
            centred(side)};
  }

  /// States as the readers behind the norm of this part see them.
  std::vector<double> behind_norm(Side side, int draw, std::vector<double> states) const {
    scale_columns(states, vectors_[index(side)](Companion::norm_gain, draw));
    const std::vector<double> bias = vectors_[index(side)](Companion::norm_bias, draw);
    for (std::size_t at = 0; !bias.empty() && at < states.size(); at += bias.size())
      add_to(std::span(states).subspan(at, bias.size()), bias);
    return states;
  }

  RoundingDraw noise_of(std::size_t input, int draw) const {
    return {seed_of(subject_), noise_tensors + static_cast<std::uint32_t>(input),
            static_cast<std::uint32_t>(draw)};
  }

  /// Adds the noise of a draw to rows of a matrix.
  void add_noise(std::span<double> values, std::size_t input, int draw, std::uint64_t first_row) const {
    add_rounding(values, inputs_[input].dtype, noise_of(input, draw), first_row * inputs_[input].cols, draw);
  }

  /// Answers are rows of `columns` numbers; `answers(side, draw)` gives them as they are, `scale` is by how
  /// much those of the candidate are larger because its stream is.
  template <class Answers>
  Features judged(const Answers& answers, std::uint64_t columns, double scale) const {
    if (!std::isfinite(scale) || scale <= 0) return nonfinite();
    std::array<std::vector<double>, 2> plain;
    std::array<double, 2> edges{};
    double blur = 0;
    for (const Side side : {Side::base, Side::candidate}) {
      std::vector<double>& own = plain[index(side)];
      own = answers(side, as_stored);
      if (!all_finite(own)) return nonfinite();
      double& edge = edges[index(side)];
      for (int draw = 0; draw < draws_; ++draw) {
        const double moved = largest(difference(answers(side, draw), own), columns);
        if (!std::isfinite(moved)) return nonfinite();
        edge = std::max(edge, moved);
      }
      if (edge > 0) blur = std::max(blur, edge / largest(own, columns));
      const double unit = side == Side::base ? 1 : scale;
      edge /= unit;
      for (double& x : own) x /= unit;
    }
    const std::vector<double> apart = difference(plain[1], plain[0]);
    const double first = largest(apart, columns);
    const double size = std::hypot(norm_of(plain[0]), norm_of(plain[1])) / std::numbers::sqrt2;
    if (!std::isfinite(first) || !std::isfinite(size)) return nonfinite();
    Features out;
    out.numbers = {{"first", first},
                   {"noise_edge", std::max(edges[0], edges[1])},
                   {"blur", blur},
                   {"delta", size > 0 ? norm_of(apart) / size : 0}};
    return out;
  }

  static Features nonfinite() {
    Features out;
    out.status = Status::nonfinite;
    return out;
  }

  Subject subject_;
  std::vector<Input> inputs_;
  int draws_;
  std::array<Vectors, 2> vectors_;

 private:
  static std::vector<double> difference(std::vector<double> one, std::span<const double> other) {
    for (std::size_t i = 0; i < one.size(); ++i) one[i] -= other[i];
    return one;
  }
  static double largest(std::span<const double> rows, std::uint64_t columns) {
    return largest_singular_value(matrix_operator(rows, rows.size() / columns, columns));
  }
};

/// Attention or an MLP, whose matrices are needed all at once.
class LayerAsking final : public Asking {
 public:
  LayerAsking(const Subject& subject, std::span<const Input> inputs,
              std::span<const std::vector<double>> companions)
      : Asking(subject, inputs, companions), held_(inputs) {}

  void take(std::size_t input, const Panel& panel) override { held_.take(input, panel); }

  Features finish() override {
    const double scale = tokens(Side::candidate, as_stored).size / tokens(Side::base, as_stored).size;
    const auto answers = [this](Side side, int draw) {
      const Tokens of_side = tokens(side, draw);
      const std::vector<double> states = behind_norm(side, draw, of_side.asked);
      const std::vector<double> out = part_of(subject_) == FunctionPart::attention
                                          ? attention(side, draw, states)
                                          : mlp(side, draw, states);
      const std::uint64_t d = width(side), readers = of_side.read_at.size() / d;
      std::vector<double> read(out.size() / d * readers);
      multiply_rows(of_side.read_at, readers, out, d, read.data(), readers);
      return read;
    };
    return judged(answers, count(subject_, "tokens") / 2, scale);
  }

 private:
  AffineMap map(Side side, std::size_t which, int draw) const {
    const std::size_t input = index(side) * inputs_of_side() + which;
    return [this, side, which, input, draw](std::span<const double> states) {
      const std::uint64_t rows = inputs_[input].rows, cols = inputs_[input].cols;
      std::vector<double> out(states.size() / cols * rows);
      for (std::uint64_t first = 0; first < rows; first += rows_at_once) {
        const std::uint64_t some = std::min(rows_at_once, rows - first);
        std::vector<double> block = held_.rows(input, first, some);
        add_noise(block, input, draw, first);
        multiply_rows(block, some, states, cols, out.data() + first, rows);
      }
      const std::vector<double> bias =
          vectors_[index(side)](Companion::first_bias, draw, static_cast<int>(which));
      for (std::size_t at = 0; !bias.empty() && at < out.size(); at += rows)
        add_to(std::span(out).subspan(at, rows), bias);
      return out;
    };
  }

  std::vector<double> attention(Side side, int draw, std::span<const double> states) const {
    AttentionFunction function;
    function.shape = {width(side), count(subject_, side_parameter(side, "heads")),
                      count(subject_, side_parameter(side, "kv_heads")),
                      count(subject_, side_parameter(side, "head_width"))};
    function.rope = static_cast<Rope>(count(subject_, side_parameter(side, "rope")));
    function.rotary_width = count(subject_, side_parameter(side, "rotary_width"));
    function.query = map(side, 0, draw);
    function.key = map(side, 1, draw);
    function.value = map(side, 2, draw);
    function.output = map(side, 3, draw);
    function.query_gain = vectors_[index(side)](Companion::query_gain, draw);
    function.key_gain = vectors_[index(side)](Companion::key_gain, draw);
    return attention_answers(function, sequences(function.shape), states, sharpness_);
  }

  Sequences sequences(const AttentionShape& shape) const {
    Sequences out{.length = sequence_length, .angles = {}};
    for (std::uint64_t p = 0; p < shape.head_width / 2; ++p) {
      const auto words = random_words(seed_of(subject_), angle_stream, p);
      out.angles.push_back(2 * std::numbers::pi * uniform_number(words[0], words[1]));
    }
    return out;
  }

  std::vector<double> mlp(Side side, int draw, std::span<const double> states) const {
    const bool gated = inputs_of_side() == 3;
    const std::size_t up = gated ? 1 : 0;
    return mlp_answers(gated ? map(side, 0, draw) : AffineMap(), map(side, up, draw), map(side, up + 1, draw),
                       states);
  }

  HeldInputs held_;
  mutable std::optional<Sharpness> sharpness_;  ///< of the base, which answers first
};

/// Embeddings and heads: rows of tokens, as many as a vocabulary has, each of which answers alone. Rows are
/// added up in buckets with random signs while they go by (count sketch: Charikar, Chen, Farach-Colton,
/// ICALP 2002), the same ones on both sides.
class TableAsking final : public Asking {
 public:
  TableAsking(const Subject& subject, std::span<const Input> inputs,
              std::span<const std::vector<double>> companions)
      : Asking(subject, inputs, companions) {
    for (const Side side : {Side::base, Side::candidate})
      for (int draw = as_stored; draw < draws_; ++draw) {
        const bool head = part_of(subject_) == FunctionPart::head;
        Tokens of_side = tokens(side, draw);
        if (draw == as_stored) size_[index(side)] = head ? 1 : of_side.size;
        states_[index(side)].push_back(head ? behind_norm(side, draw, std::move(of_side.asked))
                                            : std::move(of_side.asked));
        sums_[index(side)].emplace_back(buckets * asked());
      }
  }

  void take(std::size_t input, const Panel& panel) override {
    const std::uint64_t cols = inputs_[input].cols;
    const std::size_t row_bytes = panel.rows == 0 ? 0 : panel.bytes.size() / panel.rows;
    for (std::uint64_t first = 0; first < panel.rows; first += rows_at_once) {
      const std::uint64_t some = std::min(rows_at_once, panel.rows - first);
      std::vector<double> block(some * cols);
      widen(inputs_[input].dtype, panel.bytes.subspan(first * row_bytes, some * row_bytes), block);
      for (int draw = as_stored; draw < draws_; ++draw) add(input, draw, panel.first_row + first, block);
    }
  }

  Features finish() override {
    const auto sums = [this](Side side, int draw) { return sums_[index(side)][place(draw)]; };
    return judged(sums, asked(), size_[1] / size_[0]);
  }

 private:
  static std::size_t place(int draw) { return static_cast<std::size_t>(draw) + 1; }  // as_stored comes first
  std::uint64_t asked() const { return count(subject_, "tokens") / 2; }

  void add(std::size_t input, int draw, std::uint64_t first_row, std::vector<double> block) {
    const std::uint64_t cols = inputs_[input].cols, rows = block.size() / cols;
    add_noise(block, input, draw, first_row);
    std::vector<double> answers(rows * asked());  // asked x rows, as multiply_rows lays them out
    multiply_rows(block, rows, states_[input][place(draw)], cols, answers.data(), rows);
    std::vector<double>& sum = sums_[input][place(draw)];
    for (std::uint64_t r = 0; r < rows; ++r) {
      const std::uint64_t row = first_row + r;
      const double sign = (random_words(seed_of(subject_), sign_stream, row)[0] & 1) != 0 ? 1 : -1;
      double* to = sum.data() + row % buckets * asked();
      for (std::uint64_t i = 0; i < asked(); ++i) to[i] += sign * answers[i * rows + r];
    }
  }

  std::array<std::vector<std::vector<double>>, 2> states_, sums_;  ///< by side, then draw
  std::array<double, 2> size_{1, 1};
};

}  // namespace

std::string side_parameter(Side side, std::string_view name) {
  return fmt::format("{}_{}", side == Side::base ? "base" : "candidate", name);
}

std::string companion_parameter(Side side, int companion) {
  return side_parameter(side, fmt::format("companion_{}", companion));
}

Cost function_cost(const Subject& subject, std::span<const Input> inputs) {
  double stored = 0, widest = 0, rows = 0;
  for (const Input& input : inputs) {
    stored += static_cast<double>(input.rows * input.cols) * bits_of(input.dtype) / 8;
    widest = std::max(widest, static_cast<double>(input.cols));
    rows += static_cast<double>(input.rows);
  }
  const auto elements = static_cast<double>(elements_of(inputs));
  const auto tokens = static_cast<double>(count(subject, "tokens"));
  const double draws = rounding_draws(elements_of(inputs) / 2);
  const bool held = part_of(subject) == FunctionPart::attention || part_of(subject) == FunctionPart::mlp;
  const double blocks = 3 * static_cast<double>(rows_at_once) * widest,
               answers = tokens * (held ? rows + 6 * widest : (2 + draws) * (widest + buckets) + 6 * widest);
  // A product of matrices is ten times as fast as the plain loops that costs are counted in.
  return {.flops = elements * (tokens / 10 * (1 + draws) + 60 * draws),
          .memory = static_cast<std::uint64_t>(held ? stored : 8 * (answers + blocks)),
          .working = static_cast<std::uint64_t>(held ? 8 * (answers + blocks) : 0),
          .decomposition = {}};
}

std::unique_ptr<Measurement> begin_function(const Subject& subject, std::span<const Input> inputs,
                                            std::span<const std::vector<double>> companions) {
  const FunctionPart part = part_of(subject);
  if (part == FunctionPart::table || part == FunctionPart::head)
    return std::make_unique<TableAsking>(subject, inputs, companions);
  return std::make_unique<LayerAsking>(subject, inputs, companions);
}

}  // namespace stemma
