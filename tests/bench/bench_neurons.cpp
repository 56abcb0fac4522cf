// How many pairs of models do ranks test by their neurons in a second, beside reading the weights again?
//   mpirun -n 2 bench_neurons [models = 60] [layers = 32]
//
// Sketches have the size of a Llama of 8 billion weights (32 MLPs of 14,336 neurons, 192 anchors); every
// fourth model is its neighbour with noise. Prints JSON: pairs a second and core, bytes of a sketch, memory,
// and how often reading both models' 16 GB from memory, at the rate at which this machine adds up bytes that
// lie there, is the longer way; no disk is that fast.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <numeric>
#include <random>

#include "analyzers/distributed/world.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/neuron_codec.hpp"
#include "pipeline/neuron_stage.hpp"

namespace stemma {
namespace {

constexpr std::size_t neurons = 128, anchors = 192, by_string = 128, attention_side = 96;
constexpr double weight_bytes = 2 * 16.06e9;

std::vector<std::int8_t> noise(std::size_t n, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, 40);
  std::vector<std::int8_t> out(n);
  for (std::int8_t& x : out) x = static_cast<std::int8_t>(std::clamp(normal(random), -127.0, 127.0));
  return out;
}

NeuronSketch made(int layers, std::mt19937_64& random) {
  NeuronSketch sketch;
  for (std::size_t i = 0; i < anchors; ++i) sketch.keys.push_back(i);
  sketch.by_string = by_string;
  sketch.vocabulary = 128256;
  for (int l = 0; l < layers; ++l) {
    NeuronBlock& block = sketch.blocks.emplace_back();
    block.layer = l;
    block.units = 14336;
    for (std::size_t i = 0; i < neurons; ++i)
      block.unit.push_back(static_cast<std::uint32_t>(i * 112 + random() % 112));
    block.norm_first = block.norm_product = std::vector<double>(neurons, 1);
    block.first = noise(neurons * anchors, random);
    block.second = noise(neurons * anchors, random);
    sketch.attention.push_back({l, noise(attention_side * attention_side, random)});
  }
  return sketch;
}

void disturb(std::vector<std::int8_t>& bytes, std::mt19937_64& random) {
  for (std::int8_t& x : bytes)
    x = static_cast<std::int8_t>(std::clamp<int>(x + int(random() % 21) - 10, -127, 127));
}

std::vector<Fingerprint> family(int models, int layers) {
  std::vector<Fingerprint> out(static_cast<std::size_t>(models));
  for (std::size_t m = 0; m < out.size(); ++m) {
    std::mt19937_64 random(m);
    out[m].id = fmt::format("m{:05}", m);
    out[m].neurons = m % 4 == 1 ? *out[m - 1].neurons : made(layers, random);
    if (m % 4 != 1) continue;
    for (NeuronBlock& block : out[m].neurons->blocks)
      disturb(block.first, random), disturb(block.second, random);
    for (AttentionBlock& block : out[m].neurons->attention) disturb(block.reading, random);
  }
  return out;
}

/// Bytes a second that one core adds up from memory.
double bytes_a_second() {
  const std::vector<std::uint64_t> numbers(std::size_t{1} << 26, 1);
  const Stopwatch watch;
  const std::uint64_t sum = std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
  return sum > 0 ? 8.0 * static_cast<double>(numbers.size()) / watch.seconds() : 0;
}

int main_of(int argc, char** argv) {
  const World world(launch_from_environment());
  const Communicator& ranks = world.all();
  const int models = argc > 1 ? std::atoi(argv[1]) : 60, layers = argc > 2 ? std::atoi(argv[2]) : 32;
  std::vector<Fingerprint> fingerprints;
  ModelPairs pairs;
  if (ranks.leads()) {
    fingerprints = family(models, layers);
    fingerprints.emplace_back().id = "z";  // has no sketch, so its pairs cost nothing
    pairs = chosen_pairs(fingerprints, {});
  }
  const Stopwatch watch;
  DoneCount compared = 0;
  const std::vector<NeuronAgreement> found = compare_neurons_together(
      ranks, fingerprints, pairs, thresholds::agreeing_neurons, ranks.leads() ? &compared : nullptr);
  const double seconds = watch.seconds();
  if (!ranks.leads()) return 0;
  std::size_t related = 0;
  for (const NeuronAgreement& agreement : found) related += agreement.log_p_places < -30;
  const double each =
      seconds * ranks.size() / static_cast<double>(pairs.size() - static_cast<std::size_t>(models));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"models\": {}, \"layers\": {}, \"pairs\": {}, \"ranks\": {}, \"seconds\": {:.2f}, \"related\": {}, "
      "\"pairs_a_second_and_core\": {:.1f}, \"sketch_bytes\": {}, \"peak_mib\": {}, "
      "\"reading_over_comparing\": {:.0f}}}\n",
      models, layers, pairs.size(), ranks.size(), seconds, related, 1 / each,
      travelling_bytes(*fingerprints[0].neurons), usage.ru_maxrss / 1024,
      weight_bytes / bytes_a_second() / each);
  // Every fourth model has one relative, and every pair was counted.
  return related == static_cast<std::size_t>((models + 2) / 4) && compared == pairs.size() ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) { return stemma::main_of(argc, argv); }
