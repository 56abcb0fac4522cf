// How fast do codes with scales become values, and how does that compare with a copy of as many bytes?
// bench_dequantise [ROWS] [COLUMNS] [ROUNDS]
//
// Decodes one matrix of random codes that lie in memory, on one core, in processor time, the best of ROUNDS.
// "opened" counts the making of the decoder, which turns codes that are stored by columns; "rows" does not.
#include <fmt/format.h>
#include <time.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "io/formats/decoder.hpp"
#include "io/model/panels.hpp"

namespace stemma {
namespace {

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Parts one after the other.
class Memory final : public ByteReader {
 public:
  EncodedPart part(Dtype dtype, std::vector<std::uint64_t> shape, const auto& code) {
    EncodedPart part{
        .file = {}, .dtype = dtype, .shape = std::move(shape), .offset = bytes_.size(), .bytes = 1};
    for (const std::uint64_t size : part.shape) part.bytes *= size;
    part.bytes = part.bytes * bits_of(dtype) / 8;
    for (std::uint64_t i = 0; i < part.bytes; ++i) bytes_.push_back(static_cast<std::byte>(code(i)));
    return part;
  }
  void read(const SourceFile&, std::uint64_t offset, std::span<std::byte> out) override {
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }
  std::uint64_t bytes_read() const override { return 0; }

 private:
  std::vector<std::byte> bytes_;
};

struct Case {
  std::string name;
  Decoding decoding;
};

std::vector<Case> cases(Memory& memory, std::uint64_t out, std::uint64_t in) {
  std::mt19937_64 random(1);
  const auto any = [&](std::uint64_t) { return random(); };
  const auto half_one = [](std::uint64_t i) { return i % 2 == 0 ? 0x00 : 0x3C; };              // F16
  const auto one = [](std::uint64_t i) { return i % 4 == 2 ? 0x80 : i % 4 == 3 ? 0x3F : 0; };  // F32
  const std::uint64_t g = in / 128;
  const auto n = [](std::uint64_t x) { return static_cast<std::int64_t>(x); };
  std::vector<Case> all;
  for (const std::uint64_t bits : {3, 4, 8}) {
    all.push_back({fmt::format("gptq {} bits", bits),
                   {.codec = "gptq",
                    .parts = {memory.part(Dtype::i32, {in * bits / 32, out}, any),
                              memory.part(Dtype::i32, {g, out * bits / 32}, any),
                              memory.part(Dtype::f16, {g, out}, half_one)},
                    .numbers = {n(bits), n(in), n(out), 128, n(g), 1}}});
    all.push_back({fmt::format("packed {} bits", bits),
                   {.codec = "packed_integers",
                    .parts = {memory.part(Dtype::i32, {out, in * bits / 32}, any),
                              memory.part(Dtype::f16, {out, g}, half_one)},
                    .numbers = {n(bits), n(out), n(in), 128, n(g), 0, 0}}});
  }
  all.push_back(
      {"awq 4 bits",
       {.codec = "awq",
        .parts = {memory.part(Dtype::i32, {in, out / 8}, any), memory.part(Dtype::i32, {g, out / 8}, any),
                  memory.part(Dtype::f16, {g, out}, half_one)},
        .numbers = {0, n(in), n(out), 128, n(g)}}});
  all.push_back({"mxfp4",
                 {.codec = "four_bit_floats",
                  .parts = {memory.part(Dtype::u8, {out, in / 2}, any),
                            memory.part(Dtype::u8, {out, in / 32}, [](std::uint64_t) { return 120; })},
                  .numbers = {n(out), n(in), 32, 0}}});
  all.push_back(
      {"nf4",
       {.codec = "bitsandbytes_4bit",
        .parts = {memory.part(Dtype::u8, {out * in / 2, 1}, any),
                  memory.part(Dtype::f32, {out * in / 64}, one), memory.part(Dtype::f32, {16}, one)},
        .numbers = {n(out * in), 64, 0, 0, 1}}});
  all.push_back({"fp8 blocks",
                 {.codec = "scaled_bytes",
                  .parts = {memory.part(Dtype::f8_e4m3, {out, in}, any),
                            memory.part(Dtype::f32, {out / 128, in / 128}, one)},
                  .numbers = {n(out), n(in), 128, 128}}});
  return all;
}

template <class Work>
double best_of(int rounds, const Work& work) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double begun = processor_seconds();
    work();
    best = std::min(best, processor_seconds() - begun);
  }
  return best;
}

void run(std::uint64_t out, std::uint64_t in, int rounds) {
  Memory memory;
  const std::uint64_t bytes = out * in * sizeof(float);
  std::vector<std::byte> values(bytes), source(bytes, std::byte{1});
  const auto gigabytes = [&](double seconds) { return static_cast<double>(bytes) / seconds / 1e9; };
  const double copy = gigabytes(best_of(rounds, [&] { std::memcpy(values.data(), source.data(), bytes); }));
  fmt::print("{:14} {:>12} {:>12}\n{:14} {:12.2f} {:>12}\n", "GB/s of F32", "rows", "opened", "copy", copy,
             "");
  for (const Case& each : cases(memory, out, in)) {
    const auto decode_all = [&](Decoder& decoder) {
      const std::uint64_t piece = request_bytes / (in * sizeof(float)) * (in * sizeof(float));
      for (std::uint64_t at = 0; at < bytes; at += piece)
        decoder.decode(at / sizeof(float), std::span(values).subspan(at, std::min(piece, bytes - at)));
    };
    const auto decoder = make_decoder(each.decoding, memory);
    const double rows = best_of(rounds, [&] { decode_all(*decoder); });
    const double opened = best_of(rounds, [&] { decode_all(*make_decoder(each.decoding, memory)); });
    fmt::print("{:14} {:12.2f} {:12.2f}\n", each.name, gigabytes(rows), gigabytes(opened));
  }
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  stemma::run(argument(1, 4096), argument(2, 4096), static_cast<int>(argument(3, 5)));
}
