// How fast are hash and histogram, measured in readings of the same memory?
// bench_histogram [--mib 128] [--repeats 5] [--json FILE]
//
// Everything in one process, interleaved, in processor time, best of several repetitions. "read" only adds up
// words; "fused" shows blocks of memory to content and histogram as perform does; "streamed" is that with the
// way there, through stream_tensor, and holds the copy ("copy") that stands for pread as well.
#include <fmt/format.h>
#include <time.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "analyzers/content.hpp"
#include "analyzers/histogram.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What the timed code computes ends here, so that no compiler leaves it out.
volatile std::uint64_t sink = 0;

struct Sample {
  std::string name;
  Dtype dtype;
  std::vector<std::byte> bytes;
};

template <class Code, class Draw>
Sample sample(std::string name, Dtype dtype, std::size_t bytes, Draw draw) {
  Sample out{std::move(name), dtype, std::vector<std::byte>(bytes)};
  for (std::size_t at = 0; at < bytes; at += sizeof(Code)) {
    const Code code = draw();
    std::memcpy(out.bytes.data() + at, &code, sizeof code);
  }
  return out;
}

std::uint16_t bf16(float x) { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16U); }
std::uint16_t f16(float x) {  // towards zero; below the normal numbers becomes zero
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  return static_cast<std::uint16_t>(
      std::abs(x) < 0x1p-14F ? sign : sign | ((bits & 0x7FFFFFFFU) - (112U << 23U)) >> 13U);
}

std::vector<Sample> samples(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0, 0.02F);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<Sample> out;
  const auto weight = [&] { return normal(random); };
  out.push_back(sample<std::uint16_t>("bf16", Dtype::bf16, bytes, [&] { return bf16(weight()); }));
  out.push_back(sample<std::uint16_t>("f16", Dtype::f16, bytes, [&] { return f16(weight()); }));
  out.push_back(sample<std::uint16_t>("bf16 uniform", Dtype::bf16, bytes,
                                      [&] { return static_cast<std::uint16_t>(random()); }));
  out.push_back(sample<std::uint16_t>("bf16 90% zeros", Dtype::bf16, bytes, [&] {
    return unit(random) < 0.9F ? std::uint16_t{0} : bf16(weight());
  }));
  out.push_back(
      sample<std::uint16_t>("bf16 constant", Dtype::bf16, bytes, [&] { return std::uint16_t{0x3F80}; }));
  out.push_back(sample<std::uint8_t>("f8_e4m3", Dtype::f8_e4m3, bytes,
                                     [&] { return static_cast<std::uint8_t>(f16(weight() * 256) >> 8U); }));
  out.push_back(sample<float>("f32", Dtype::f32, bytes, weight));
  out.push_back(sample<float>("f32 gains", Dtype::f32, bytes, [&] { return 3 + normal(random); }));
  return out;
}

/// A file that is memory; the copy stands for pread from the page cache.
class MemoryReader : public ByteReader {
 public:
  explicit MemoryReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  void read(const SourceFile&, std::uint64_t offset, std::span<std::byte> out) override {
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    read_ += out.size();
  }
  std::uint64_t bytes_read() const override { return read_; }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t read_ = 0;
};

constexpr std::uint64_t columns = 4096;

Matrix matrix_of(const Sample& s) {
  Matrix matrix;
  matrix.cols = columns;
  matrix.rows = matrix.stored_rows = s.bytes.size() * 8 / bits_of(s.dtype) / columns;
  matrix.slice.length = matrix.rows;
  return matrix;
}

/// The questions that an item asks of a tensor, and the way in which perform shows it to them.
class Questions {
 public:
  Questions(const Sample& s, bool hash, bool histogram) {
    const Matrix matrix = matrix_of(s);
    const Input input{"layers/0/mlp.up", s.dtype, matrix.rows, matrix.cols, 0};
    const Subject subject;
    if (hash) asked_.push_back(content_analyzer().begin(subject, std::span(&input, 1), {}));
    if (histogram) asked_.push_back(histogram_analyzer().begin(subject, std::span(&input, 1), {}));
  }
  void take(std::span<const std::byte> bytes) {
    for_each_block(bytes, [&](std::span<const std::byte> block) {
      for (const auto& measurement : asked_) measurement->take_elements(0, block);
    });
  }
  void finish() {
    for (const auto& measurement : asked_) sink = sink + measurement->finish().counts.size();
  }

 private:
  std::vector<std::unique_ptr<Measurement>> asked_;
};

void read_only(std::span<const std::byte> bytes) {
  std::array<std::uint64_t, 16> words{}, sums{};
  for (std::size_t at = 0; at + sizeof words <= bytes.size(); at += sizeof words) {
    std::memcpy(words.data(), bytes.data() + at, sizeof words);
    for (std::size_t i = 0; i < words.size(); ++i) sums[i] += words[i];
  }
  for (const std::uint64_t sum : sums) sink = sink + sum;
}

void hash_alone(std::span<const std::byte> bytes) {
  sink = sink + XXH3_128bits(bytes.data(), bytes.size()).low64;
}

void measured(const Sample& s, bool hash, bool histogram) {
  Questions questions(s, hash, histogram);
  constexpr std::size_t panel = std::size_t{16} << 20;
  for (std::size_t at = 0; at < s.bytes.size(); at += panel)
    questions.take(std::span(s.bytes).subspan(at, std::min(panel, s.bytes.size() - at)));
  questions.finish();
}

void streamed(const Sample& s) {
  Questions questions(s, true, true);
  const Matrix matrix = matrix_of(s);
  const StoredTensor tensor{
      .name = s.name, .dtype = s.dtype, .shape = {matrix.rows, matrix.cols}, .bytes = s.bytes.size()};
  MemoryReader reader(s.bytes);
  stream_tensor({}, tensor, std::span(&matrix, 1), reader, {},
                [&](std::size_t, const Panel& panel) { questions.take(panel.bytes); });
  questions.finish();
}

void copied(const Sample& s) {
  MemoryReader reader(s.bytes);
  const StoredTensor tensor{.name = s.name,
                            .dtype = s.dtype,
                            .shape = {s.bytes.size() * 8 / bits_of(s.dtype)},
                            .bytes = s.bytes.size()};
  stream_tensor({}, tensor, {}, reader, [](std::span<const std::byte> bytes) { sink = sink + bytes.size(); },
                {});
}

/// Into a block of doubles that stays in the core's own cache.
void widened(const Sample& s) {
  std::vector<double> block(8192);
  const std::size_t bytes = block.size() * bits_of(s.dtype) / 8;
  for (std::size_t at = 0; at + bytes <= s.bytes.size(); at += bytes) {
    widen(s.dtype, std::span(s.bytes).subspan(at, bytes), block);
    sink = sink + std::bit_cast<std::uint64_t>(block[at / bytes % block.size()]);
  }
}

struct Timing {
  std::string sample, what;
  std::function<void()> work;
  double bytes = 0, best = 1e300;
};

std::vector<Timing> timings(const std::vector<Sample>& all) {
  std::vector<Timing> out;
  for (const Sample& s : all) {
    const auto add = [&](const char* what, std::function<void()> work) {
      out.push_back({s.name, what, std::move(work), static_cast<double>(s.bytes.size())});
    };
    add("read", [&s] { read_only(s.bytes); });
    add("copy", [&s] { copied(s); });
    add("xxh3", [&s] { hash_alone(s.bytes); });
    add("widen", [&s] { widened(s); });
    add("histogram", [&s] { measured(s, false, true); });
    add("fused", [&s] { measured(s, true, true); });
    add("streamed", [&s] { streamed(s); });
  }
  return out;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

int run(std::size_t mib, int repeats, const std::string& json_file) {
  const std::vector<Sample> all = samples(mib << 20U);
  std::vector<Timing> rows = timings(all);
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (Timing& row : rows) {
      const double begin = processor_seconds();
      row.work();
      row.best = std::min(row.best, processor_seconds() - begin);
    }
  nlohmann::json report = {{"processor", processor()}, {"mib", mib}, {"repeats", repeats}};
  fmt::print("{}, {} MiB, best of {}\n{:<16}{:<12}{:>8}{:>10}\n", processor(), mib, repeats, "sample", "what",
             "GB/s", "of read");
  double read = 0;
  for (const Timing& row : rows) {
    const double rate = row.bytes / row.best / 1e9;
    if (row.what == "read") read = rate;
    fmt::print("{:<16}{:<12}{:>8.2f}{:>10.3f}\n", row.sample, row.what, rate, rate / read);
    report["rows"].push_back(
        {{"sample", row.sample}, {"what", row.what}, {"gb_per_second", rate}, {"of_read", rate / read}});
  }
  if (!json_file.empty()) std::ofstream(json_file) << report.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  std::size_t mib = 128;
  int repeats = 5;
  std::string json_file;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--mib") mib = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--repeats") repeats = std::atoi(argv[i + 1]);
    if (option == "--json") json_file = argv[i + 1];
  }
  return stemma::run(std::max<std::size_t>(mib, 1), std::max(repeats, 1), json_file);
}
