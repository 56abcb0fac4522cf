// The kernels of the analyzers, timed on weights that are made up.
#include "pipeline/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "analyzers/catalogue.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/matrix_witness.hpp"
#include "analyzers/numerics/singular_values.hpp"
#include "io/formats/file_reader.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/team_rates.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t side = 1024;  // of the matrices that are made up; larger ones are rows repeated
constexpr std::uint64_t tall = 4096;
constexpr std::uint64_t eigen_sizes[] = {64, 128, 256, 512, 1024, 2048};
constexpr double enough_seconds = 0.02;  // a kernel is repeated for so long
constexpr std::uint64_t read_bytes = std::uint64_t{256} << 20U, least_read = std::uint64_t{1} << 20U;
constexpr std::size_t read_piece = std::size_t{16} << 20U;
constexpr double heads = 8, kv_heads = 2;

std::uint64_t next(std::uint64_t& state) {  // Knuth's generator: speed is measured, not chance
  state = state * 6364136223846793005U + 1442695040888963407U;
  return state >> 32U;
}

/// Seconds of one call: the mean over as many as fill the time, after one to warm up where it is short.
template <class Work>
double seconds_of(Work&& work) {
  Stopwatch watch;
  work();
  double once = watch.seconds();
  if (once > enough_seconds) return once;
  int calls = 0;
  for (watch = Stopwatch(); watch.seconds() < enough_seconds; ++calls) work();
  return watch.seconds() / calls;
}

/// One matrix of bf16 as an analyzer sees it.
struct Shown {
  Input input;
  std::span<const std::byte> bytes;
};

Shown shown(const char* role, std::uint64_t rows, std::uint64_t cols, std::span<const std::byte> weights) {
  return {{role, Dtype::bf16, rows, cols, 0}, weights.first(2 * rows * cols)};
}

/// Lets an analyzer measure matrices, as perform() does. Returns seconds.
double seconds_of(const char* analyzer, Subject subject, std::span<const Shown> matrices) {
  std::vector<Input> inputs;
  for (const Shown& m : matrices) inputs.push_back(m.input);
  const Analyzer& question = *analyzer_named(analyzer);
  return seconds_of([&] {
    const auto measurement = question.begin(subject, inputs, {});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      for_each_block(matrices[i].bytes,
                     [&](std::span<const std::byte> block) { measurement->take_elements(i, block); });
      measurement->take(i, {.first_row = 0, .rows = inputs[i].rows, .bytes = matrices[i].bytes});
    }
    measurement->finish();
  });
}

double product_rate(std::span<const std::byte> weights) {
  const MatrixForm form{.dtype = Dtype::bf16, .rows = tall, .cols = side};
  const double seconds = seconds_of([&] {
    TallGram gram(form);
    gram.take(weights);
    gram.finish();
  });
  return Decomposition{form}.product_flops() / seconds;
}

/// A symmetric positive matrix with well separated eigenvalues.
std::vector<double> symmetric(std::uint64_t k) {
  std::vector<double> matrix(k * k);
  std::uint64_t state = 2;
  for (double& x : matrix) x = static_cast<double>(next(state)) * 0x1p-32;
  for (std::uint64_t i = 0; i < k; ++i) matrix[i * k + i] += static_cast<double>(k + i);
  return matrix;
}

std::vector<CostModel::EigenRate> eigen_rates() {
  const SpectrumSolvers solvers = SpectrumSolvers::lapack();
  std::vector<CostModel::EigenRate> rates;
  std::vector<double> matrix;
  const auto rate = [](std::uint64_t k, double seconds) {
    return Decomposition{{.dtype = Dtype::bf16, .rows = k, .cols = k}}.eigenvalue_flops() / seconds;
  };
  for (const std::uint64_t k : eigen_sizes) {
    matrix = symmetric(k);
    std::vector<double> work(matrix.size());
    rates.push_back({k, rate(k, seconds_of([&] {
                               std::copy(matrix.begin(), matrix.end(), work.begin());
                               solvers.eigenvalues(work, k);
                             }))});
  }
  // Beyond these sizes another solver may take over; it is as fast at the largest of them as it will be.
  const std::uint64_t largest = rates.back().k, beyond = largest + 1;
  if (method_for(beyond) != method_for(largest)) {
    const double seconds =
        seconds_of([&] { symmetric_eigenvalues(matrix, largest, Tridiagonalisation::two_stage); });
    rates.push_back({beyond, rate(largest, seconds)});
  }
  return rates;
}

double scan_rate(std::span<const std::byte> weights) {
  const Shown matrix = shown("layers/0/attn.q", tall, side, weights);
  const std::span<const Shown> one(&matrix, 1);
  const double seconds =
      seconds_of("content", {.path = "q"}, one) + seconds_of("histogram", {.path = "q"}, one);
  return static_cast<double>(matrix.bytes.size()) / seconds;
}

double loop_rate(std::span<const std::byte> weights) {
  const Shown circuit[] = {shown("layers/0/attn.q", side, side, weights),
                           shown("layers/0/attn.k", side / 4, side, weights)};
  Subject subject{.path = "layers/0/qk",
                  .parameters = {{"heads", heads}, {"kv_heads", kv_heads}, {"twin", 1}}};
  const Input inputs[] = {circuit[0].input, circuit[1].input};
  const MatrixForm form{.dtype = Dtype::bf16, .rows = tall, .cols = side};
  double flops = analyzer_named("intrinsic_fingerprint")->cost(subject, inputs).flops;
  double seconds = seconds_of("intrinsic_fingerprint", subject, circuit);
  flops += Decomposition{form}.witness_flops();
  seconds += seconds_of([&] {
    MatrixWitness witness(form);
    witness.take(weights);
    witness.finish();
  });
  return flops / seconds;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A file's place as bytes for the other ranks; they open it themselves.
std::vector<std::byte> packed(const SourceFile* file) {
  const auto cbor = nlohmann::json::to_cbor(
      file ? nlohmann::json{file->path, file->bytes, file->mtime_ns, file->device, file->inode}
           : nlohmann::json::array());
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

std::optional<SourceFile> unpacked(std::span<const std::byte> bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto json = nlohmann::json::from_cbor(first, first + bytes.size());
  if (json.empty()) return std::nullopt;
  SourceFile file;
  file.path = json[0], file.bytes = json[1], file.mtime_ns = json[2], file.device = json[3],
  file.inode = json[4];
  return file;
}

}  // namespace

std::vector<std::byte> made_up_weights(std::uint64_t elements) {
  std::vector<std::byte> bytes(2 * elements);
  std::uint64_t state = 1;
  for (std::uint64_t i = 0; i < elements; ++i) {
    const std::uint64_t random = next(state);
    const std::uint64_t code =
        ((random & 1U) << 15U) | ((118 + ((random >> 1U) & 3U)) << 7U) | ((random >> 8U) & 0x7FU);
    bytes[2 * i] = static_cast<std::byte>(code & 0xFFU);
    bytes[2 * i + 1] = static_cast<std::byte>(code >> 8U);
  }
  return bytes;
}

CostModel measure_rates() {
  CostModel model;
  model.name = fmt::format("calibration on {}", cpu_model().empty() ? "this machine" : cpu_model());
  const std::vector<std::byte> weights = made_up_weights(tall * side);
  model.product_rate = product_rate(weights);
  model.eigen_rates = eigen_rates();
  model.scan_rate = scan_rate(weights);
  model.flop_rate = loop_rate(weights);
  return model;
}

std::optional<double> measure_reading(const SourceFile& file, int rank, int ranks) {
  const std::uint64_t share = std::min(file.bytes, read_bytes) / static_cast<std::uint64_t>(ranks);
  if (share < least_read) return std::nullopt;
  try {
    FileReader reader;
    const Stopwatch watch;
    reader.stream(file, share * static_cast<std::uint64_t>(rank), share, read_piece,
                  [](std::span<const std::byte>) {});
    return static_cast<double>(share) / watch.seconds();
  } catch (const std::exception&) {
    return std::nullopt;  // whoever reads it in the run says what is wrong with it
  }
}

CostModel median_of(std::span<const CostModel> models) {
  CostModel result = models.front();
  for (double CostModel::*rate :
       {&CostModel::product_rate, &CostModel::read_rate, &CostModel::scan_rate, &CostModel::flop_rate,
        &CostModel::item_seconds, &CostModel::team_efficiency, &CostModel::step_seconds}) {
    std::vector<double> all;
    for (const CostModel& model : models) all.push_back(model.*rate);
    result.*rate = median(std::move(all));
  }
  for (std::size_t i = 0; i < result.eigen_rates.size(); ++i) {
    std::vector<double> all;
    for (const CostModel& model : models) all.push_back(model.eigen_rates.at(i).rate);
    result.eigen_rates[i].rate = median(std::move(all));
  }
  return result;
}

CostModel calibrate(const Communicator& ranks, const SourceFile* file) {
  std::vector<std::byte> place = packed(file);
  ranks.broadcast(place, 0);
  CostModel own;
  // All begin together; whoever is done first ends alone, a second or two before the others.
  in_unison(ranks, "measuring the speed of this machine", [&] {
    if (const auto shared = unpacked(place))
      if (const auto rate = measure_reading(*shared, ranks.rank(), ranks.size())) own.read_rate = *rate;
  });
  in_unison(ranks, "measuring the speed of this machine", [&] {
    const double read_rate = own.read_rate;
    own = measure_rates();
    own.read_rate = read_rate;
  });
  // Two ranks form no team: rank 0 is in none.
  if (ranks.size() > 2) in_unison(ranks, "measuring the speed of teams", [&] { measure_teams(ranks, own); });
  const std::vector<std::string> texts = ranks.gather(to_json(own));
  if (!ranks.leads()) return own;
  std::vector<CostModel> all;
  for (const std::string& text : texts) all.push_back(cost_model_of(text));
  CostModel model = median_of(all);
  if (ranks.size() > 1) model.name += fmt::format(", {} ranks at once", ranks.size());
  return model;
}

}  // namespace stemma
