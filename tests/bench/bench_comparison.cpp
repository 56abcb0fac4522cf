// How long does it take to judge all pairs of a corpus, and how much memory?
//   bench_comparison [models = 1000]
//
// The fingerprints have the size of an 8B model (291 tensors, 32 layers); every tenth model shares half of
// its tensors with its neighbour. Prints the cost of one pair beside that of reading the bytes of both
// fingerprints once from memory, which is the lower bound.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <random>

#include "pipeline/clock.hpp"
#include "pipeline/comparison.hpp"

namespace stemma {
namespace {

constexpr std::array<const char*, 9> parts = {"attn.q", "attn.k",   "attn.v",    "attn.o",  "mlp.gate",
                                              "mlp.up", "mlp.down", "norm_attn", "norm_mlp"};
constexpr int layers = 32;

std::vector<double> wandering_curve(std::mt19937_64& random) {
  std::normal_distribution<double> step(0, 0.05);
  std::vector<double> curve(layers, 0.02);
  for (int l = 1; l < layers; ++l)
    curve[static_cast<std::size_t>(l)] = curve[static_cast<std::size_t>(l - 1)] * std::exp(step(random));
  return curve;
}

Fingerprint made(int index, const Fingerprint* neighbour) {
  std::mt19937_64 random(static_cast<std::uint64_t>(index));
  Fingerprint f;
  f.id = fmt::format("m{:05}", index);
  f.layers = layers;
  for (int l = 0; l < layers; ++l)
    for (const char* part : parts) {
      TensorMark mark;
      mark.role = fmt::format("layers/{}/{}", l, part);
      const bool shared = neighbour && l < layers / 2;
      mark.content = shared ? neighbour->tensors[f.tensors.size()].content : Hash128{random(), random()};
      mark.histogram = shared ? neighbour->tensors[f.tensors.size()].histogram : Hash128{random(), random()};
      mark.rows = mark.cols = 4096;
      mark.bytes = std::uint64_t{2} << 24;
      mark.distinct = 9000;
      mark.known = true;
      f.tensors.push_back(std::move(mark));
    }
  IntrinsicCurves curves;
  for (int l = 0; l < layers; ++l) curves.layer.push_back(l);
  for (auto& curve : curves.curve) curve = wandering_curve(random);
  for (auto& curve : curves.twin) curve = wandering_curve(random);
  for (const char* name : {"gate", "up", "down", "norm_attn"}) curves.further[name] = wandering_curve(random);
  f.intrinsic = std::move(curves);
  RepairedCurves repaired;
  for (int l = 0; l < layers; ++l) repaired.layer.push_back(l);
  for (const auto& column : repaired_columns)
    for (auto& curve : repaired.*column.curves) curve = wandering_curve(random);
  f.repaired = std::move(repaired);
  order_marks(f);
  return f;
}

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

int run(int models) {
  std::vector<Fingerprint> corpus;
  for (int i = 0; i < models; ++i) corpus.push_back(made(i, i % 10 == 1 ? &corpus.back() : nullptr));
  const double before = peak_bytes();
  const ComparisonPlan plan{
      .tests = {{"content", {}}, {"histogram", {}}, {"intrinsic_fingerprint", {}}, {"tensorguard", {}}}};
  const Stopwatch all;
  const Comparison comparison(corpus, plan);
  const double seconds = all.seconds();
  const double pairs = static_cast<double>(comparison.size());
  const double bytes_of_pair = 2 * (static_cast<double>(corpus[0].tensors.size() * sizeof(TensorMark)) +
                                    12.0 * layers * sizeof(double));
  const double bound = bytes_of_pair / 10e9;  // one core streams about 10 GB/s
  fmt::print(
      "{} models, {} pairs: {:.2f} s, {:.1f} us a pair ({:.1f} times one reading from memory), {:.0f} "
      "bytes a pair\n",
      models, comparison.size(), seconds, 1e6 * seconds / pairs, seconds / pairs / bound,
      (peak_bytes() - before) / pairs);
  const Stopwatch again;
  std::size_t rows = 0;
  const std::size_t some = std::min<std::size_t>(comparison.size(), 20000);
  for (std::size_t i = 0; i < some; ++i) rows += comparison.with_evidence(i).evidence.size();
  fmt::print("evidence of {} pairs on demand: {:.1f} us a pair, {:.1f} rows\n", some,
             1e6 * again.seconds() / static_cast<double>(some),
             static_cast<double>(rows) / static_cast<double>(some));
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) { return stemma::run(argc > 1 ? std::atoi(argv[1]) : 1000); }
