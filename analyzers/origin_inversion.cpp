// Probes are independent but for the matrix products that they share: those that are done leave the block.
#include "analyzers/origin_inversion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace stemma {

namespace {

using ProbeList = std::vector<std::size_t>;
using Rows = std::vector<double>;

constexpr double contraction = 0.5;  ///< a fixed point that is slower costs more than Newton's method
constexpr double enough_descent = 1e-4;
constexpr int halvings = 20;

double inner(const double* a, const double* b, std::uint64_t d) {
  return std::inner_product(a, a + d, b, 0.0);
}

double norm(const double* a, std::uint64_t d) { return std::sqrt(inner(a, a, d)); }

/// min |(I + K) p - r| for every state of a tangent, by conjugate gradients on the normal equations (CGLS).
class LeastSquares {
 public:
  LeastSquares(MlpTangent tangent, Rows rest, std::uint64_t d)
      : tangent_(std::move(tangent)), d_(d), rest_(std::move(rest)), solution_(rest_.size()) {
    direction_ = gradient_ = normal_residual();
    for (std::size_t i = 0; i < tangent_.tokens(); ++i) slope_.push_back(slope_now(i));
    can_go_on_.assign(slope_.size(), 1);
  }

  /// One step, two passes.
  void advance() {
    Rows image = tangent_.product(direction_);
    for (std::size_t i = 0; i < image.size(); ++i) image[i] += direction_[i];
    for (std::size_t i = 0; i < slope_.size(); ++i) {
      const double along = slope_[i] / inner(image.data() + i * d_, image.data() + i * d_, d_);
      can_go_on_[i] = std::isfinite(along) ? 1 : 0;
      for (std::size_t k = i * d_; k < (i + 1) * d_ && std::isfinite(along); ++k) {
        solution_[k] += along * direction_[k];
        rest_[k] -= along * image[k];
      }
    }
    gradient_ = normal_residual();
    for (std::size_t i = 0; i < slope_.size(); ++i) {
      const double now = slope_now(i), turn = now / slope_[i];
      if (!(now > 0) || !std::isfinite(turn)) can_go_on_[i] = 0;
      for (std::size_t k = i * d_; k < (i + 1) * d_; ++k) direction_[k] = gradient_[k] + turn * direction_[k];
      slope_[i] = now;
    }
  }

  bool can_go_on(std::size_t i) const { return can_go_on_[i] != 0; }
  double remainder(std::size_t i) const { return norm(rest_.data() + i * d_, d_); }  ///< |(I + K) p - r|
  const double* solution(std::size_t i) const { return solution_.data() + i * d_; }

  void keep(std::span<const std::size_t> kept) {
    tangent_.keep(kept);
    for (Rows* rows : {&rest_, &solution_, &gradient_, &direction_}) keep_rows(*rows, d_, kept);
    for (Rows* numbers : {&slope_, &can_go_on_}) keep_rows(*numbers, 1, kept);
  }

 private:
  /// (I + K)^T r
  Rows normal_residual() const {
    Rows out = tangent_.transposed(rest_);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += rest_[i];
    return out;
  }
  double slope_now(std::size_t i) const {
    return inner(gradient_.data() + i * d_, gradient_.data() + i * d_, d_);
  }

  MlpTangent tangent_;
  std::uint64_t d_;
  Rows rest_, solution_, gradient_, direction_;
  Rows slope_, can_go_on_;
};

/// A block of probes on its way.
class Inverter {
 public:
  Inverter(const SingleTokenLayer& layer, std::span<const double> outputs, const InversionOptions& options,
           Inversion& out)
      : layer_(layer), outputs_(outputs), options_(options), out_(out), d_(layer.width()) {}

  void fixed_point(ProbeList open) {
    Rows z = gathered(open);
    while (!open.empty()) {
      const Rows rest = residuals(open, z, layer_.mlp(z));
      count(open, 1);
      std::vector<std::size_t> next;
      for (std::size_t i = 0; i < open.size(); ++i) {
        const std::size_t probe = open[i];
        const double before = out_.errors[probe];
        offer(probe, z.data() + i * d_, rest.data() + i * d_);
        if (done(probe)) {
          out_.contracted[probe] = out_.errors[probe] <= options_.tolerance;
        } else if (std::isfinite(out_.errors[probe]) && out_.errors[probe] <= contraction * before) {
          ++out_.steps[probe];
          next.push_back(i);
        } else {
          steep_.push_back(probe);
        }
      }
      for (std::size_t i = 0; i < z.size(); ++i) z[i] -= rest[i];
      keep_rows(z, d_, next);
      open = chosen(open, next);
    }
  }

  /// Of what the fixed point left over.
  void newton() {
    ProbeList open;
    std::copy_if(steep_.begin(), steep_.end(), std::back_inserter(open),
                 [this](std::size_t probe) { return std::isfinite(out_.errors[probe]); });
    std::sort(open.begin(), open.end());
    while (!open.empty()) {
      const Rows z = gathered(open);
      Rows steps = newton_steps(open, z);
      open = shortened(open, z, std::move(steps));
    }
  }

  void adam(ProbeList open) {
    constexpr double first_decay = 0.9, second_decay = 0.999, tiny = 1e-8;
    Rows z = gathered(open), first(z.size()), second(z.size());
    for (std::uint64_t step = 1; !open.empty(); ++step) {
      const MlpTangent tangent(layer_, z);
      const Rows rest = residuals(open, z, tangent.value());
      const Rows turned = tangent.transposed(rest);
      count(open, 2);
      const double first_share = 1 - std::pow(first_decay, static_cast<double>(step)),
                   second_share = 1 - std::pow(second_decay, static_cast<double>(step));
      std::vector<std::size_t> next;
      for (std::size_t i = 0; i < open.size(); ++i) {
        offer(open[i], z.data() + i * d_, rest.data() + i * d_);
        if (!done(open[i])) next.push_back(i);
      }
      for (std::size_t i = 0; i < z.size(); ++i) {
        const double gradient = 2 * (rest[i] + turned[i]);
        first[i] = first_decay * first[i] + (1 - first_decay) * gradient;
        second[i] = second_decay * second[i] + (1 - second_decay) * gradient * gradient;
        z[i] -=
            options_.learning_rate * (first[i] / first_share) / (std::sqrt(second[i] / second_share) + tiny);
      }
      for (Rows* rows : {&z, &first, &second}) keep_rows(*rows, d_, next);
      open = chosen(open, next);
      for (const std::size_t probe : open) ++out_.steps[probe];
    }
  }

 private:
  static ProbeList chosen(const ProbeList& from, const std::vector<std::size_t>& kept) {
    ProbeList out;
    for (const std::size_t i : kept) out.push_back(from[i]);
    return out;
  }

  Rows gathered(const ProbeList& open) const {
    Rows out;
    out.reserve(open.size() * d_);
    for (const std::size_t probe : open)
      out.insert(out.end(), out_.states.begin() + static_cast<std::ptrdiff_t>(probe * d_),
                 out_.states.begin() + static_cast<std::ptrdiff_t>((probe + 1) * d_));
    return out;
  }

  void count(const ProbeList& open, std::uint64_t passes) { out_.passes += passes * open.size(); }

  Rows residuals(const ProbeList& open, const Rows& z, const Rows& added) const {
    Rows out(z.size());
    for (std::size_t i = 0; i < open.size(); ++i)
      for (std::size_t k = i * d_; k < (i + 1) * d_; ++k)
        out[k] = z[k] + added[k] - outputs_[open[i] * d_ + k - i * d_];
    return out;
  }

  double error(std::size_t probe, const double* rest) const {
    const double* f = outputs_.data() + probe * d_;
    const double size = norm(f, d_), left = norm(rest, d_);
    return size > 0 ? left / size : left;
  }

  /// Takes a state that is better than what the probe has.
  void offer(std::size_t probe, const double* z, const double* rest) {
    const double found = error(probe, rest);
    if (!(found < out_.errors[probe])) return;
    out_.errors[probe] = found;
    std::copy_n(z, d_, out_.states.data() + probe * d_);
  }

  bool done(std::size_t probe) const {
    return out_.errors[probe] <= options_.tolerance || out_.steps[probe] >= options_.steps;
  }

  /// p of min |(I + K) p - F|, each as precise as one step of Newton can be.
  Rows newton_steps(const ProbeList& probes, const Rows& z) {
    MlpTangent tangent(layer_, z);
    Rows rest = residuals(probes, z, tangent.value()), wanted(probes.size()), out(z.size());
    for (std::size_t i = 0; i < probes.size(); ++i) {
      const double now = out_.errors[probes[i]];
      const double forcing = std::max(std::min(0.1, now), 0.5 * options_.tolerance / now);
      wanted[i] = forcing * norm(rest.data() + i * d_, d_);
    }
    LeastSquares problem(std::move(tangent), std::move(rest), d_);
    count(probes, 2);
    ProbeList open = probes;
    std::vector<std::size_t> places(open.size());
    std::iota(places.begin(), places.end(), 0);
    while (!open.empty()) {
      problem.advance();
      count(open, 2);
      std::vector<std::size_t> next;
      for (std::size_t i = 0; i < open.size(); ++i) {
        const bool last = ++out_.steps[open[i]] >= options_.steps;
        if (!last && problem.remainder(i) > wanted[i] && problem.can_go_on(i))
          next.push_back(i);
        else
          std::copy_n(problem.solution(i), d_, out.data() + places[i] * d_);
      }
      problem.keep(next);
      keep_rows(wanted, 1, next);
      open = chosen(open, next);
      places = chosen(places, next);
    }
    return out;
  }

  /// Goes the steps, half of them, a quarter, until the error falls, and says who goes on.
  ProbeList shortened(const ProbeList& probes, Rows z, Rows steps) {
    ProbeList open = probes, out;
    double length = 1;
    for (int half = 0; half < halvings && !open.empty(); ++half, length /= 2) {
      Rows trial(z.size());
      for (std::size_t i = 0; i < z.size(); ++i) trial[i] = z[i] - length * steps[i];
      const Rows rest = residuals(open, trial, layer_.mlp(trial));
      count(open, 1);
      std::vector<std::size_t> next;
      for (std::size_t i = 0; i < open.size(); ++i) {
        const double found = error(open[i], rest.data() + i * d_);
        if (!(found <= (1 - enough_descent * length) * out_.errors[open[i]])) {
          next.push_back(i);
          continue;
        }
        offer(open[i], trial.data() + i * d_, rest.data() + i * d_);
        if (!done(open[i])) out.push_back(open[i]);
      }
      keep_rows(z, d_, next);
      keep_rows(steps, d_, next);
      open = chosen(open, next);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  const SingleTokenLayer& layer_;
  std::span<const double> outputs_;
  const InversionOptions& options_;
  Inversion& out_;
  std::uint64_t d_;
  ProbeList steep_;
};

}  // namespace

Inversion invert_mlp(const SingleTokenLayer& layer, std::span<const double> start,
                     std::span<const double> outputs, const InversionOptions& options) {
  const std::uint64_t probes = layer.tokens_in(start);
  if (outputs.size() != start.size()) throw std::invalid_argument("every start has an output");
  Inversion out{.states = {start.begin(), start.end()},
                .errors = Rows(probes, std::numeric_limits<double>::infinity()),
                .steps = std::vector<std::uint64_t>(probes),
                .contracted = std::vector<bool>(probes)};
  for (std::uint64_t first = 0; first < probes; first += token_block) {
    ProbeList block(std::min(token_block, probes - first));
    std::iota(block.begin(), block.end(), first);
    Inverter inverter(layer, outputs, options, out);
    if (options.method == InversionMethod::adam) {
      inverter.adam(std::move(block));
      continue;
    }
    inverter.fixed_point(std::move(block));
    inverter.newton();
  }
  return out;
}

}  // namespace stemma
