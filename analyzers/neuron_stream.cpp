// The largest neurons of a few layers, all at once: a rotation is one for the whole stream.
#include "analyzers/neuron_stream.hpp"

#include <fmt/format.h>

#include <cmath>

#include "analyzers/mlp_weights.hpp"
#include "analyzers/stream_fit.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr std::size_t most_layers = 4;
/// Of each layer, at least and for each axis of the stream: four layers then give three rows an axis.
constexpr std::uint64_t least_neurons = 512, axes_for_each_neuron = 4;

std::uint64_t most_neurons(std::uint64_t width) {
  return std::max(least_neurons, width / axes_for_each_neuron);
}

/// Of the parameters of one of the layers.
std::string prefix_of(std::size_t i) { return fmt::format("{}_", i); }

class Measuring final : public Measurement {
 public:
  Measuring(Subject subject, std::span<const Input> inputs, std::span<const std::vector<double>> companions)
      : subject_(std::move(subject)), held_(inputs), companions_(companions.begin(), companions.end()) {}

  void take(std::size_t input, const Panel& panel) override { held_.take(input, panel); }

  Features finish() override {
    std::vector<NeuronDirections> base, candidate;
    const auto layers = static_cast<std::size_t>(subject_.parameters.at("layers"));
    for (std::size_t i = 0; i < layers; ++i) {
      const MlpPair mlps(subject_, prefix_of(i), held_, companions_);
      for (const Side side : {Side::base, Side::candidate}) {
        const NeuronRows gate = mlps.rows(side, MlpWeight::gate);
        auto directions = neuron_directions(gate, mlps.rows(side, MlpWeight::up),
                                            mlps.rows(side, MlpWeight::down), most_neurons(gate.width));
        Features nonfinite;
        nonfinite.status = Status::nonfinite;
        if (!directions) return nonfinite;
        (side == Side::base ? base : candidate).push_back(std::move(*directions));
      }
    }
    const auto fit = fit_stream(base, candidate);
    Features out;
    const double residual = fit ? std::sqrt(std::max(0.0, 2 - 2 * fit->cosine)) : 2;
    const bool tight = residual < thresholds::origin_rotation_residual;
    out.counts = {
        {"change", static_cast<std::uint64_t>(tight ? StreamChange::orthogonal : StreamChange::unaligned)},
        {"width", base.front().width},
        {"tokens", 0},
        {"rounds", fit ? static_cast<std::uint64_t>(fit->rounds) : 0}};
    out.numbers = {{"scale", fit ? fit->scale : 1}, {"agreeing", 0}, {"residual", residual}};
    if (residual < thresholds::origin_loose_residual) out.reals["map"] = fit->rotation;
    return out;
  }

 private:
  Subject subject_;
  HeldInputs held_;
  std::vector<std::vector<double>> companions_;
};

class NeuronStreamAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return "neuron_stream"; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const ModelPair& pair, const std::map<std::string, double>&) const override {
    const std::vector<int> shared = shared_mlps(pair);
    if (shared.size() < 2 || !has_gate(*pair.base, shared.front()) || pair.base->norm != pair.candidate->norm)
      return {};
    const std::vector<int> layers = evenly_spaced(every_other(shared, 0), most_layers);
    Subject s{.analyzer = {}, .path = "alignment"};
    s.parameters["layers"] = static_cast<double>(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) add_mlps(pair, layers[i], layers[i], prefix_of(i), s);
    return {s};
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    double stored = 0, largest = 0;
    for (const Input& input : inputs) {
      const auto elements = static_cast<double>(input.rows * input.cols);
      stored += elements * bits_of(input.dtype) / 8;
      largest = std::max(largest, elements);
    }
    // The first of the inputs is a gate: its rows are neurons.
    const std::uint64_t width = inputs.front().cols;
    const auto d = static_cast<double>(width);
    const auto n = static_cast<double>(std::min(most_neurons(width), inputs.front().rows));
    const double layers = subject.parameters.at("layers");
    // Most pairs settle in three rounds: one polar factor, and of every layer products and scores.
    const double round = 22 * d * d * d + layers * 3 * (4 * n * d * d + 2 * n * n * d);
    return {
        .flops = 3 * round / 10 + 30 * layers * largest,
        .memory = static_cast<std::uint64_t>(stored),
        .working = static_cast<std::uint64_t>(8 * (4 * largest + layers * 6 * n * d + 6 * d * d + 3 * n * n)),
        .decomposition = {}};
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return std::make_unique<Measuring>(subject, inputs, companions);
  }
};

}  // namespace

const PairAnalyzer& neuron_stream_analyzer() {
  static const NeuronStreamAnalyzer analyzer;
  return analyzer;
}

}  // namespace stemma
