// Do FP8, INT8, NVFP4, MXFP4 and bitsandbytes give exactly the values of loops over their formulas?
#include <gtest/gtest.h>

#include "io/formats/quantised.hpp"
#include "tests/io/formats/quantised_fixture.hpp"

namespace stemma {
namespace {

using namespace ::testing;
using namespace fixtures;
using FloatSizes = std::vector<std::uint64_t>;

/// Not NaN, as most tests compare values.
std::vector<std::uint8_t> random_e4m3(std::mt19937& random, std::size_t count) {
  std::vector<std::uint8_t> codes(count);
  for (std::uint8_t& code : codes) do
      code = static_cast<std::uint8_t>(random());
    while ((code & 0x7FU) == 0x7FU);
  return codes;
}
float e4m3(std::uint8_t code) { return static_cast<float>(decode(e4m3_format, code)); }

std::vector<float> random_scales(std::mt19937& random, std::size_t count) {
  std::vector<float> scales(count);
  for (float& scale : scales)
    scale =
        std::ldexp(1.0F + static_cast<float>(random() % 1000) / 999, static_cast<int>(random() % 20) - 15);
  return scales;
}

void expect_values(const Forge& forge, const std::string& name, const FloatSizes& shape,
                   const std::vector<float>& expected, const std::string& words) {
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(checkpoint.tensors.size(), 1U);
  const StoredTensor* tensor = tensor_named(checkpoint, name);
  ASSERT_NE(tensor, nullptr) << (checkpoint.findings.empty() ? "" : sentence(checkpoint.findings.front()));
  ASSERT_TRUE(tensor->decoding);
  ASSERT_EQ(tensor->shape, shape);
  const std::vector<float> found = values_of(checkpoint, *tensor);
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_TRUE(found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i])))
        << i << ": " << found[i] << " for " << expected[i];
  for (const std::uint64_t first : {std::uint64_t{1}, shape.back() - 1}) {
    const std::size_t count = expected.size() - first - 1;
    const auto run = run_of(checkpoint, *tensor, first, count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(run[i] == found[first + i] || std::isnan(run[i]));
  }
  EXPECT_EQ(quantisation_words(*tensor->decoding), words);
}

std::string refusal_of_values(const Forge& forge, const std::string& name) {
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = forge.open(directory);
  return rule_of_refusal([&] { values_of(checkpoint, *tensor_named(checkpoint, name)); });
}

constexpr const char* fp8_config =
    R"({"quantization_config":{"quant_method":"fp8","weight_block_size":[16,24]}})";

struct Fp8 {
  Fp8(std::uint64_t rows, std::uint64_t columns, unsigned seed) : out(rows), in(columns), random(seed) {
    codes = random_e4m3(random, out * in);
  }
  /// Scales of blocks of (rows, columns), those at the edges cut.
  Forge blocks(std::uint64_t rows, std::uint64_t columns, const FloatSizes& shape,
               const std::string& part = "m.weight_scale") {
    const std::uint64_t across = (in + columns - 1) / columns;
    scales = random_scales(random, (out + rows - 1) / rows * across);
    expected.clear();
    for (std::uint64_t o = 0; o < out; ++o)
      for (std::uint64_t i = 0; i < in; ++i)
        expected.push_back(e4m3(codes[o * in + i]) * scales[o / rows * across + i / columns]);
    Forge forge;
    forge.put("m.weight", "F8_E4M3", {out, in}, codes);
    forge.put(part, "F32", shape, scales);
    forge.config = fp8_config;
    return forge;
  }
  std::uint64_t out, in;
  std::mt19937 random;
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, expected;
};

TEST(EightBits, BlocksCutAtBothEdges) {
  Fp8 a(37, 53, 1), b(130, 257, 2);
  const Forge stated = a.blocks(16, 24, {3, 3}, "m.weight_scale_inv");
  expect_values(stated, "m.weight", {37, 53}, a.expected, "FP8 (E4M3), blocks of 16 x 24");
  Forge usual = b.blocks(128, 128, {2, 3}, "m.weight_scale_inv");
  usual.config = "{}";
  expect_values(usual, "m.weight", {130, 257}, b.expected, "FP8 (E4M3), blocks of 128 x 128");
}

TEST(EightBits, ScalesOfMatricesRowsAndGroups) {
  Fp8 a(7, 48, 3);
  for (const FloatSizes& shape : {FloatSizes{}, FloatSizes{1}, FloatSizes{1, 1}}) {
    const Forge forge = a.blocks(7, 48, shape);
    expect_values(forge, "m.weight", {7, 48}, a.expected, "FP8 (E4M3), one scale per matrix");
  }
  for (const FloatSizes& shape : {FloatSizes{7}, FloatSizes{7, 1}}) {
    const Forge forge = a.blocks(1, 48, shape);
    expect_values(forge, "m.weight", {7, 48}, a.expected, "FP8 (E4M3), one scale per row");
  }
  const Forge forge = a.blocks(1, 16, {7, 3});
  expect_values(forge, "m.weight", {7, 48}, a.expected, "FP8 (E4M3), groups of 16");
}

TEST(EightBits, StackedExpertsWithScalesOfTheirOwn) {
  Fp8 a(5, 32, 4), b(5, 32, 5);
  struct Form {
    std::uint64_t rows;
    FloatSizes shape;
    std::string words;
  };
  for (const auto& [rows, shape, words] : std::vector<Form>{{5, {2}, "one scale per matrix"},
                                                            {5, {2, 1, 1}, "one scale per matrix"},
                                                            {1, {2, 5, 1}, "one scale per row"}}) {
    Forge forge = a.blocks(rows, 32, {1});
    const Forge other = b.blocks(rows, 32, {1});
    for (std::size_t i = 0; i < 2; ++i) forge.parts[i].bytes += other.parts[i].bytes;
    forge.parts[0].shape = {2, 5, 32};
    forge.parts[1].shape = shape;
    std::vector<float> expected = a.expected;
    std::ranges::copy(b.expected, std::back_inserter(expected));
    expect_values(forge, "m.weight", {2, 5, 32}, expected, fmt::format("FP8 (E4M3), {}", words));
  }
}

TEST(EightBits, ScalesThatArePowersOfTwo) {
  Fp8 a(6, 64, 6);
  Forge forge = a.blocks(1, 32, {6, 2});
  std::vector<std::uint8_t> powers(12);
  for (std::size_t i = 0; i < 12; ++i) powers[i] = static_cast<std::uint8_t>(i == 0 ? 0 : 90 + 6 * i);
  std::vector<float> expected;
  for (std::size_t o = 0; o < 6; ++o)
    for (std::size_t i = 0; i < 64; ++i)
      expected.push_back(e4m3(a.codes[o * 64 + i]) * std::ldexp(1.0F, powers[o * 2 + i / 32] - 127));
  for (const char* type : {"U8", "F8_E8M0"}) {
    forge.parts[1] = {"m.weight_scale", type, {6, 2}, bytes_of(powers)};
    expect_values(forge, "m.weight", {6, 64}, expected, "MXFP8, groups of 32");
  }
  powers[4] = 255;
  forge.parts[1].bytes = bytes_of(powers);
  EXPECT_EQ(refusal_of_values(forge, "m.weight"), "quant.scale_not_finite");
}

TEST(EightBits, NanCodesAndHalfDistances) {
  Fp8 a(2, 256, 7);
  for (std::size_t i = 0; i < 512; ++i) a.codes[i] = static_cast<std::uint8_t>(i);
  Forge forge = a.blocks(1, 256, {2, 1});
  expect_values(forge, "m.weight", {2, 256}, a.expected, "FP8 (E4M3), one scale per row");
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = forge.open(directory);
  const auto half = values_of(checkpoint, *tensor_named(checkpoint, "m.weight"), true);
  for (std::size_t i = 0; i < 512; ++i) {
    const int e = static_cast<int>(i % 128 / 8);
    if (i % 128 == 127) {
      EXPECT_TRUE(std::isnan(half[i]));
    } else {
      EXPECT_EQ(half[i], std::ldexp(1.0F, std::max(e, 1) - 11) * a.scales[i / 256]);
    }
  }
}

TEST(EightBits, IntegersWithZeroPoints) {
  std::mt19937 random(8);
  std::vector<std::int8_t> q(5 * 24), z(5 * 3);
  for (auto& code : q) code = static_cast<std::int8_t>(random());
  for (auto& code : z) code = static_cast<std::int8_t>(random());
  const auto s = random_scales(random, 15);
  Forge forge;
  forge.put("m.weight", "I8", {5, 24}, q);
  forge.put("m.weight_scale", "F32", {5, 3}, s);
  forge.put("m.weight_zero_point", "I8", {5, 3}, z);
  forge.config = R"({"quantization_config":{"quant_method":"compressed-tensors","format":"int-quantized"}})";
  std::vector<float> expected;
  for (std::size_t o = 0; o < 5; ++o)
    for (std::size_t i = 0; i < 24; ++i)
      expected.push_back(static_cast<float>(q[o * 24 + i] - z[o * 3 + i / 8]) * s[o * 3 + i / 8]);
  expect_values(forge, "m.weight", {5, 24}, expected, "INT8, groups of 8");
  EXPECT_EQ(faults_that_pass(forge, "m.weight", {"m.weight_zero_point"}, {}), "");
}

TEST(EightBits, EveryPartIsNeededAndScalesAreAboveZero) {
  Fp8 a(48, 53, 1);
  EXPECT_EQ(faults_that_pass(a.blocks(16, 24, {3, 3}, "m.weight_scale_inv"), "m.weight", {}, {}), "");
  for (const float bad :
       {0.0F, -1.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Forge forge = a.blocks(16, 24, {3, 3});
    std::memcpy(&forge.parts[1].bytes[8], &bad, 4);
    EXPECT_EQ(refusal_of_values(forge, "m.weight"), "quant.scale_not_finite") << bad;
  }
}

TEST(EightBits, WithoutScalesAndClaimsTheyArePlainValues) {
  const TemporaryDirectory directory;
  Forge forge;
  forge.put<std::uint8_t>("m.weight", "F8_E4M3", {1, 3}, {1, 2, 3});
  const Checkpoint checkpoint = forge.open(directory);
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_FALSE(checkpoint.tensors[0].decoding);
  EXPECT_EQ(checkpoint.tensors[0].dtype, Dtype::f8_e4m3);
}

const std::vector<float> e2m1{0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6};

struct FourBits {
  FourBits(std::uint64_t rows, std::uint64_t columns, unsigned seed) : out(rows), in(columns), random(seed) {
    codes = random_codes(random, out * in, 4);
    packed.assign(out * in / 2, '\0');
    for (std::size_t i = 0; i < codes.size(); ++i) put_bits(packed, 4 * i, 4, codes[i]);
  }
  std::uint64_t out, in;
  std::mt19937 random;
  std::vector<unsigned> codes;
  std::string packed;
};

TEST(FourBitFloats, Nvfp4OfBothWriters) {
  FourBits a(6, 48, 1);
  const auto scales = random_e4m3(a.random, 18);
  std::vector<std::uint8_t> s = scales;
  for (std::uint8_t& code : s) code &= 0x7FU;
  for (const bool divides : {true, false}) {
    const float global = divides ? 1234.5F : 1 / 1234.5F;
    Forge forge;
    forge.parts = {{divides ? "m.weight_packed" : "m.weight", "U8", {6, 24}, a.packed},
                   {"m.weight_scale", "F8_E4M3", {6, 3}, bytes_of(s)}};
    forge.put<float>(divides ? "m.weight_global_scale" : "m.weight_scale_2", "F32",
                     divides ? FloatSizes{1} : FloatSizes{}, {global});
    forge.config = fmt::format(R"({{"quantization_config":{{"quant_method":"{}"}}}})",
                               divides ? "compressed-tensors" : "modelopt");
    std::vector<float> expected;
    for (std::size_t o = 0; o < 6; ++o)
      for (std::size_t i = 0; i < 48; ++i) {
        const float scale = e4m3(s[o * 3 + i / 16]);
        expected.push_back(e2m1[a.codes[o * 48 + i]] * (divides ? scale / global : scale * global));
      }
    expect_values(forge, "m.weight", {6, 48}, expected, "NVFP4, groups of 16");
    const std::string last = forge.parts.back().name;
    EXPECT_EQ(faults_that_pass(forge, "m.weight", {}, {last}), "");
  }
}

TEST(FourBitFloats, Mxfp4AndTheBlocksOfGptOss) {
  FourBits a(6, 64, 2);
  std::vector<std::uint8_t> s(12);
  for (std::uint8_t& code : s) code = static_cast<std::uint8_t>(100 + a.random() % 60);
  std::vector<float> expected;
  for (std::size_t o = 0; o < 6; ++o)
    for (std::size_t i = 0; i < 64; ++i)
      expected.push_back(std::ldexp(e2m1[a.codes[o * 64 + i]], s[o * 2 + i / 32] - 127));
  Forge rows;
  rows.parts = {{"m.weight_packed", "U8", {6, 32}, a.packed}, {"m.weight_scale", "U8", {6, 2}, bytes_of(s)}};
  rows.config =
      R"({"quantization_config":{"quant_method":"compressed-tensors","format":"mxfp4-pack-quantized"}})";
  expect_values(rows, "m.weight", {6, 64}, expected, "MXFP4, groups of 32");
  EXPECT_EQ(faults_that_pass(rows, "m.weight", {}, {}), "");
  for (const std::string& separator : {std::string("_"), std::string(".")}) {
    Forge blocks;
    blocks.parts = {{"experts.gate_up_proj" + separator + "blocks", "U8", {3, 2, 2, 16}, a.packed},
                    {"experts.gate_up_proj" + separator + "scales", "U8", {3, 2, 2}, bytes_of(s)}};
    blocks.config = R"({"quantization_config":{"quant_method":"mxfp4"}})";
    expect_values(blocks, "experts.gate_up_proj", {3, 2, 64}, expected, "MXFP4, groups of 32");
    EXPECT_EQ(
        faults_that_pass(blocks, "experts.gate_up_proj", {"experts.gate_up_proj" + separator + "blocks"}, {}),
        "");
  }
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = rows.open(directory);
  const auto half = values_of(checkpoint, *tensor_named(checkpoint, "m.weight"), true);
  const std::vector<float> by_magnitude{.25, .25, .25, .25, .5, .5, 1, 1};
  for (std::size_t i = 0; i < half.size(); ++i)
    EXPECT_EQ(half[i], std::ldexp(by_magnitude[a.codes[i] % 8], s[i / 32] - 127));
}

const std::vector<float> nf4{-1.0F,
                             -0.6961928009986877F,
                             -0.5250730514526367F,
                             -0.39491748809814453F,
                             -0.28444138169288635F,
                             -0.18477343022823334F,
                             -0.09105003625154495F,
                             0.0F,
                             0.07958029955625534F,
                             0.16093020141124725F,
                             0.24611230194568634F,
                             0.33791524171829224F,
                             0.44070982933044434F,
                             0.5626170039176941F,
                             0.7229568362236023F,
                             1.0F};

/// Elements of a (rows, columns) weight in blocks of 64, two codes a byte, the high half first.
struct Blocks {
  Blocks(std::uint64_t rows, std::uint64_t columns, bool is_nested)
      : out(rows), in(columns), nested(is_nested) {
    const std::uint64_t n = out * in, blocks = (n + 63) / 64;
    codes = random_codes(random, n, 4);
    std::string bytes((n + 1) / 2, '\0');
    for (std::size_t i = 0; i < n; ++i) put_bits(bytes, 8 * (i / 2) + (i % 2 == 0 ? 4 : 0), 4, codes[i]);
    forge.parts.push_back({"m.weight", "U8", {bytes.size(), 1}, bytes});
    forge.put("m.weight.quant_map", "F32", {16}, nf4);
    absmax = random_scales(random, blocks);
    std::string state =
        fmt::format(R"({{"quant_type":"nf4","blocksize":64,"dtype":"bfloat16","shape":[{},{}])", out, in);
    if (nested) {
      std::vector<std::uint8_t> inner(blocks);
      for (std::uint8_t& code : inner) code = static_cast<std::uint8_t>(random());
      std::vector<float> table(256), outer = random_scales(random, (blocks + 255) / 256);
      for (std::size_t i = 0; i < 256; ++i) table[i] = (static_cast<float>(i) - 127) / 128;
      const float offset = 3.0625F;
      for (std::size_t j = 0; j < blocks; ++j) {
        const float product = table[inner[j]] * outer[j / 256];
        absmax[j] = product + offset;
      }
      forge.put("m.weight.absmax", "U8", {blocks}, inner);
      forge.put("m.weight.nested_absmax", "F32", {outer.size()}, outer);
      forge.put("m.weight.nested_quant_map", "F32", {256}, table);
      state += R"(,"nested_blocksize":256,"nested_dtype":"float32","nested_offset":3.0625)";
    } else {
      forge.put("m.weight.absmax", "F32", {blocks}, absmax);
    }
    put_state(state + "}");
    forge.config = R"({"quantization_config":{"quant_method":"bitsandbytes","load_in_4bit":true}})";
    for (std::size_t e = 0; e < n; ++e) expected.push_back(nf4[codes[e]] * absmax[e / 64]);
  }
  void put_state(const std::string& json) {
    forge.remove(state_name);
    forge.parts.push_back({state_name, "U8", {json.size()}, json});
  }
  const std::string state_name = "m.weight.quant_state.bitsandbytes__nf4";
  std::uint64_t out, in;
  bool nested;
  std::mt19937 random{11};
  std::vector<unsigned> codes;
  std::vector<float> absmax, expected;
  Forge forge;
};

TEST(BitsAndBytes, FourBitsPlainAndNestedAndOddInSize) {
  for (const auto& [out, in] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{8, 64}, {5, 77}, {150, 129}})
    for (const bool nested : {false, true}) {
      const Blocks a(out, in, nested);
      expect_values(a.forge, "m.weight", {out, in}, a.expected,
                    fmt::format("bitsandbytes NF4, blocks of 64{}", nested ? ", nested scales" : ""));
      EXPECT_EQ(
          faults_that_pass(a.forge, "m.weight",
                           nested ? std::set<std::string>{"m.weight.nested_absmax"} : std::set<std::string>{},
                           {"m.weight"}),
          "");
    }
}

TEST(BitsAndBytes, OtherStorageAndTheOtherTable) {
  Blocks a(8, 64, false);
  a.forge.part("m.weight").dtype = "BF16";
  a.forge.part("m.weight").shape = {128, 1};
  expect_values(a.forge, "m.weight", {8, 64}, a.expected, "bitsandbytes NF4, blocks of 64");
  Blocks b(8, 64, false);
  std::vector<float> fp4{0, .0625, 8, 12, 4, 6, 2, 3, 0, -.0625, -8, -12, -4, -6, -2, -3};
  for (float& value : fp4) value /= 12;
  std::string state = b.forge.part(b.state_name).bytes;
  state.replace(state.find("nf4"), 3, "fp4");
  b.forge.remove(b.state_name);
  b.forge.parts.push_back({"m.weight.quant_state.bitsandbytes__fp4", "U8", {state.size()}, state});
  b.forge.part("m.weight.quant_map").bytes = bytes_of(fp4);
  for (std::size_t e = 0; e < b.expected.size(); ++e) b.expected[e] = fp4[b.codes[e]] * b.absmax[e / 64];
  expect_values(b.forge, "m.weight", {8, 64}, b.expected, "bitsandbytes FP4, blocks of 64");
}

TEST(BitsAndBytes, StatesThatSayNothingUseful) {
  const TemporaryDirectory directory;
  for (const char* state :
       {"", "{", "[]", "{}", R"({"quant_type":"fp4","blocksize":64,"shape":[8,64]})",
        R"({"quant_type":"nf4","shape":[8,64]})", R"({"quant_type":"nf4","blocksize":0,"shape":[8,64]})",
        R"({"quant_type":"nf4","blocksize":63,"shape":[8,64]})",
        R"({"quant_type":"nf4","blocksize":64,"shape":[-8,64]})",
        R"({"quant_type":"nf4","blocksize":64,"shape":[8,64.5]})",
        R"({"quant_type":"nf4","blocksize":64,"shape":[]})",
        R"({"quant_type":"nf4","blocksize":64,"blocksize":64,"shape":[8,64]})",
        R"({"quant_type":7,"blocksize":64,"shape":[8,64]})"}) {
    Blocks a(8, 64, false);
    a.put_state(state);
    const auto rules = rules_of(a.forge.open(directory));
    EXPECT_TRUE(rules.contains("quant.state_json") || rules.contains("quant.shape")) << state;
  }
  for (const char* state : {R"({"quant_type":"nf4","blocksize":64,"shape":[8,65]})",
                            R"({"quant_type":"nf4","blocksize":64,"shape":[4294967296,4294967296]})",
                            R"({"quant_type":"nf4","blocksize":32,"shape":[8,64]})"}) {
    Blocks a(8, 64, false);
    a.put_state(state);
    EXPECT_TRUE(rules_of(a.forge.open(directory)).contains("quant.shape")) << state;
  }
  Blocks other(8, 64, false);
  std::vector<float> table = nf4;
  table[3] += 1e-5F;
  other.forge.part("m.weight.quant_map").bytes = bytes_of(table);
  EXPECT_TRUE(rules_of(other.forge.open(directory)).contains("quant.unsupported"));
}

TEST(BitsAndBytes, EightBits) {
  std::mt19937 random(12);
  std::vector<std::int8_t> q(7 * 33);
  for (auto& code : q) code = static_cast<std::int8_t>(random());
  const auto s = random_scales(random, 7);
  Forge forge;
  forge.put("m.weight", "I8", {7, 33}, q);
  forge.put("m.SCB", "F32", {7}, s);
  forge.put<std::uint8_t>("m.weight_format", "U8", {}, {0});
  forge.config = R"({"quantization_config":{"quant_method":"bitsandbytes","load_in_8bit":true}})";
  std::vector<float> expected;
  for (std::size_t o = 0; o < 7; ++o)
    for (std::size_t i = 0; i < 33; ++i) expected.push_back(static_cast<float>(q[o * 33 + i]) * (s[o] / 127));
  expect_values(forge, "m.weight", {7, 33}, expected, "bitsandbytes INT8, one scale per row");
  Forge needed = forge;
  needed.remove("m.weight_format");
  EXPECT_EQ(faults_that_pass(needed, "m.weight", {}, {}), "");
  forge.part("m.weight_format").bytes = "\x01";
  const TemporaryDirectory directory;
  EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant.unsupported"));
}

}  // namespace
}  // namespace stemma
