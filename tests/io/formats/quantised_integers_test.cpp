// Do GPTQ, AWQ and packed integers of compressed-tensors give exactly the values of loops over their
// formulas?
#include <gtest/gtest.h>

#include "io/formats/quantised.hpp"
#include "tests/io/formats/quantised_fixture.hpp"

namespace stemma {
namespace {

using namespace ::testing;
using namespace fixtures;
using IntegerSizes = std::vector<std::uint64_t>;

/// q, z and S of a layer and what they mean: W = S (q - z), in single precision.
struct Layer {
  Layer(std::uint64_t rows, std::uint64_t columns, std::uint64_t number, std::uint64_t width, unsigned b,
        unsigned seed)
      : out(rows), in(columns), groups(number), group(width), bits(b), random(seed) {
    q = random_codes(random, out * in, bits);
    z = random_codes(random, out * groups, bits);
    s = random_halves(random, out * groups);
    index.resize(in);
    for (std::uint64_t i = 0; i < in; ++i) index[i] = static_cast<std::int32_t>(i / group);
  }
  std::vector<float> values() const {
    std::vector<float> w;
    for (std::uint64_t o = 0; o < out; ++o)
      for (std::uint64_t i = 0; i < in; ++i) {
        const std::uint64_t at = o * groups + static_cast<std::uint64_t>(index[i]);
        w.push_back(half_value(s[at]) * (static_cast<float>(q[o * in + i]) - static_cast<float>(z[at])));
      }
    return w;
  }
  std::vector<float> half_distances() const {
    std::vector<float> h;
    for (std::uint64_t o = 0; o < out; ++o)
      for (std::uint64_t i = 0; i < in; ++i)
        h.push_back(half_value(s[o * groups + static_cast<std::uint64_t>(index[i])]) / 2);
    return h;
  }

  std::uint64_t out, in, groups, group;
  unsigned bits;
  std::mt19937 random;
  std::vector<unsigned> q, z;
  std::vector<std::uint16_t> s;
  std::vector<std::int32_t> index;
};

void expect_layer(const Layer& layer, const Forge& forge, const std::string& words) {
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = forge.open(directory);
  EXPECT_EQ(checkpoint.tensors.size(), 1U);
  const StoredTensor* tensor = tensor_named(checkpoint, "m.weight");
  ASSERT_NE(tensor, nullptr) << (checkpoint.findings.empty() ? "" : sentence(checkpoint.findings.front()));
  EXPECT_EQ(tensor->dtype, Dtype::f32);
  ASSERT_EQ(tensor->shape, (IntegerSizes{layer.out, layer.in}));
  const auto expected = layer.values();
  EXPECT_EQ(values_of(checkpoint, *tensor), expected);
  EXPECT_EQ(values_of(checkpoint, *tensor, true), layer.half_distances());
  for (const std::uint64_t first : {std::uint64_t{1}, layer.in - 1, layer.in + 3}) {
    const std::size_t count = std::min<std::uint64_t>(layer.in * 2 + 1, expected.size() - first);
    EXPECT_TRUE(std::ranges::equal(run_of(checkpoint, *tensor, first, count),
                                   std::span(expected).subspan(first, count)));
  }
  EXPECT_EQ(quantisation_words(*tensor->decoding), words);
}

std::string gptq_config(unsigned bits, std::int64_t group, const std::string& more = "") {
  return fmt::format(R"({{"quantization_config":{{"quant_method":"gptq","bits":{},"group_size":{}{}}}}})",
                     bits, group, more);
}

/// qweight: inputs down, packed; qzeros: outputs across, packed; scales [groups, out].
Forge as_gptq(const Layer& layer, unsigned stored_less, bool with_index) {
  const std::uint64_t words = layer.in * layer.bits / 32, zero_words = (layer.out * layer.bits + 31) / 32;
  std::string qweight(words * layer.out * 4, '\0'), qzeros(layer.groups * zero_words * 4, '\0');
  for (std::uint64_t o = 0; o < layer.out; ++o) {
    std::string column(words * 4, '\0');
    for (std::uint64_t i = 0; i < layer.in; ++i)
      put_bits(column, i * layer.bits, layer.bits, layer.q[o * layer.in + i]);
    for (std::uint64_t w = 0; w < words; ++w)
      std::memcpy(&qweight[(w * layer.out + o) * 4], &column[w * 4], 4);
  }
  std::vector<std::uint16_t> scales;
  for (std::uint64_t g = 0; g < layer.groups; ++g)
    for (std::uint64_t o = 0; o < layer.out; ++o) {
      const unsigned z = (layer.z[o * layer.groups + g] - stored_less) & ((1U << layer.bits) - 1);
      put_bits(qzeros, g * zero_words * 32 + o * layer.bits, layer.bits, z);
      scales.push_back(layer.s[o * layer.groups + g]);
    }
  Forge forge;
  forge.parts = {{"m.qweight", "I32", {words, layer.out}, qweight},
                 {"m.qzeros", "I32", {layer.groups, zero_words}, qzeros},
                 {"m.scales", "F16", {layer.groups, layer.out}, bytes_of(scales)}};
  if (with_index) forge.put("m.g_idx", "I32", {layer.in}, layer.index);
  forge.config = gptq_config(layer.bits, static_cast<std::int64_t>(layer.group),
                             stored_less == 0 ? R"(,"checkpoint_format":"gptq_v2")" : "");
  return forge;
}

TEST(Gptq, AllWidthsBothFormsOfZeros) {
  for (const unsigned bits : {2U, 3U, 4U, 8U})
    for (const unsigned less : {0U, 1U})
      for (const bool with_index : {false, true}) {
        Layer layer(13, 96, 3, 32, bits, bits + less);
        if (with_index) std::shuffle(layer.index.begin(), layer.index.end(), layer.random);
        expect_layer(
            layer, as_gptq(layer, less, with_index),
            fmt::format("GPTQ, {} bits, groups of 32{}", bits, with_index ? ", inputs named by group" : ""));
      }
}

TEST(Gptq, RaggedGroupsAndOneGroup) {
  const Layer ragged(5, 344, 3, 128, 4, 7);
  expect_layer(ragged, as_gptq(ragged, 1, false), "GPTQ, 4 bits, groups of 128");
  const Layer one(5, 64, 1, 64, 4, 8);
  Forge forge = as_gptq(one, 1, false);
  forge.config = gptq_config(4, -1);
  expect_layer(one, forge, "GPTQ, 4 bits, one scale per row");
}

TEST(Gptq, SideFileInPlaceOfTheConfiguration) {
  const TemporaryDirectory directory;
  const Layer layer(16, 64, 1, 64, 8, 3);
  Forge forge = as_gptq(layer, 1, false);
  forge.config = "{}";
  directory.write("quantize_config.json", R"({"bits":8,"group_size":64,"desc_act":false})");
  const Checkpoint checkpoint = forge.open(directory);
  ASSERT_NE(tensor_named(checkpoint, "m.weight"), nullptr);
  EXPECT_EQ(values_of(checkpoint, *tensor_named(checkpoint, "m.weight")), layer.values());
  EXPECT_FALSE(rules_of(checkpoint).contains("quant_config_mismatch"));
}

TEST(Gptq, TellsOfWrappedZerosAndWrongClaims) {
  const TemporaryDirectory directory;
  Layer layer(8, 64, 2, 32, 4, 9);
  std::ranges::fill(layer.z, 8U);
  layer.z[3] = layer.z[5] = 0;  // stored as 15
  Forge forge = as_gptq(layer, 1, true);
  const Checkpoint checkpoint = forge.open(directory);
  const auto told = std::ranges::find(checkpoint.findings, "gptq_zero_wrap", &Finding::rule);
  ASSERT_NE(told, checkpoint.findings.end());
  EXPECT_EQ(told->found, "2 zero points stored as 15");
  EXPECT_EQ(values_of(checkpoint, *tensor_named(checkpoint, "m.weight")), layer.values());

  forge.config = gptq_config(8, 64);
  const Checkpoint contradicted = forge.open(directory);
  EXPECT_TRUE(rules_of(contradicted).contains("quant_config_mismatch"));
  EXPECT_EQ(values_of(contradicted, *tensor_named(contradicted, "m.weight")), layer.values());
  forge.config = R"({"quantization_config":{"quant_method":"awq","bits":4}})";
  EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant_config_mismatch"));
}

TEST(Gptq, RefusesWhatItDoesNotKnow) {
  const TemporaryDirectory directory;
  const Layer layer(8, 64, 2, 32, 4, 9);
  Forge forge = as_gptq(layer, 1, true);
  for (const char* more : {R"(,"checkpoint_format":"marlin")", R"(,"checkpoint_format":"gptq_p")",
                           R"(,"pack_dtype":"int16")", R"(,"is_marlin_format":true)"}) {
    forge.config = gptq_config(4, 32, more);
    const Checkpoint checkpoint = forge.open(directory);
    EXPECT_TRUE(rules_of(checkpoint).contains("quant.unsupported")) << more;
    EXPECT_TRUE(checkpoint.tensors.empty()) << more;
  }
  forge.config = gptq_config(4, 32, R"(,"desc_act":true)");
  EXPECT_TRUE(tensor_named(forge.open(directory), "m.weight") != nullptr);
  forge.remove("m.g_idx");
  EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant.missing_part"));
  const Layer five(8, 64, 1, 64, 4, 9);
  Forge odd = as_gptq(five, 1, true);
  odd.part("m.qweight").shape[0] = 10;  // 5 bits for each of 64 inputs
  odd.part("m.qweight").bytes.resize(10 * 8 * 4);
  EXPECT_TRUE(rules_of(odd.open(directory)).contains("quant.bits"));
}

TEST(Gptq, RefusesGroupsAndScalesOutOfRange) {
  const TemporaryDirectory directory;
  Layer layer(8, 64, 2, 32, 4, 9);
  const auto refusal = [&](const Forge& forge) {
    const Checkpoint checkpoint = forge.open(directory);
    return rule_of_refusal([&] { values_of(checkpoint, *tensor_named(checkpoint, "m.weight")); });
  };
  for (const std::int32_t group : {-1, 2, 1'000'000}) {
    layer.index[5] = group;
    Forge forge = as_gptq(Layer(8, 64, 2, 32, 4, 9), 1, true);
    forge.part("m.g_idx").bytes = bytes_of(layer.index);
    EXPECT_EQ(refusal(forge), "quant.index_range");
  }
  for (const std::uint16_t scale : {std::uint16_t{0x7C00}, std::uint16_t{0xFC00}, std::uint16_t{0x7E00}}) {
    Forge forge = as_gptq(Layer(8, 64, 2, 32, 4, 9), 1, false);
    std::memcpy(&forge.part("m.scales").bytes[6], &scale, 2);
    EXPECT_EQ(refusal(forge), "quant.scale_not_finite");
  }
}

TEST(Gptq, EveryPartIsNeeded) {
  EXPECT_EQ(faults_that_pass(as_gptq(Layer(8, 64, 2, 32, 4, 9), 1, true), "m.weight", {"m.g_idx"}, {}), "");
}

/// gemm: inputs down, eight outputs in a word, in an order of its own.
Forge as_awq(const Layer& layer) {
  constexpr std::array<unsigned, 8> order{0, 2, 4, 6, 1, 3, 5, 7};
  const std::uint64_t words = layer.out / 8;
  std::string qweight(layer.in * words * 4, '\0'), qzeros(layer.groups * words * 4, '\0');
  std::vector<std::uint16_t> scales;
  for (std::uint64_t w = 0; w < words; ++w)
    for (unsigned n = 0; n < 8; ++n) {
      const std::uint64_t o = 8 * w + order[n];
      for (std::uint64_t i = 0; i < layer.in; ++i)
        put_bits(qweight, (i * words + w) * 32 + n * 4, 4, layer.q[o * layer.in + i]);
      for (std::uint64_t g = 0; g < layer.groups; ++g)
        put_bits(qzeros, (g * words + w) * 32 + n * 4, 4, layer.z[o * layer.groups + g]);
    }
  for (std::uint64_t g = 0; g < layer.groups; ++g)
    for (std::uint64_t o = 0; o < layer.out; ++o) scales.push_back(layer.s[o * layer.groups + g]);
  Forge forge;
  forge.parts = {{"m.qweight", "I32", {layer.in, words}, qweight},
                 {"m.qzeros", "I32", {layer.groups, words}, qzeros},
                 {"m.scales", "F16", {layer.groups, layer.out}, bytes_of(scales)}};
  forge.config = fmt::format(
      R"({{"quantization_config":{{"quant_method":"awq","bits":4,"group_size":{},"version":"gemm"}}}})",
      layer.group);
  return forge;
}

/// gemv: outputs down, inputs and groups in their order, padded.
Forge as_awq_gemv(const Layer& layer, std::uint64_t zero_words) {
  std::string qweight(layer.out * layer.in / 2, '\0'), qzeros(layer.out * zero_words * 4, '\0');
  std::vector<std::uint16_t> scales(layer.out * zero_words * 8);
  for (std::uint64_t o = 0; o < layer.out; ++o) {
    for (std::uint64_t i = 0; i < layer.in; ++i)
      put_bits(qweight, (o * layer.in + i) * 4, 4, layer.q[o * layer.in + i]);
    for (std::uint64_t g = 0; g < layer.groups; ++g) {
      put_bits(qzeros, o * zero_words * 32 + g * 4, 4, layer.z[o * layer.groups + g]);
      scales[o * zero_words * 8 + g] = layer.s[o * layer.groups + g];
    }
  }
  Forge forge;
  forge.parts = {{"m.qweight", "I32", {layer.out, layer.in / 8}, qweight},
                 {"m.qzeros", "I32", {layer.out, zero_words}, qzeros},
                 {"m.scales", "F16", {layer.out, zero_words * 8}, bytes_of(scales)}};
  forge.config = fmt::format(
      R"({{"quantization_config":{{"quant_method":"awq","bits":4,"group_size":{},"version":"GEMV"}}}})",
      layer.group);
  return forge;
}

TEST(Awq, BothLayouts) {
  const Layer gemm(40, 256, 2, 128, 4, 1), ragged(8, 344, 3, 128, 4, 2), gemv(11, 256, 2, 128, 4, 3),
      padded(11, 192, 6, 32, 4, 4);
  expect_layer(gemm, as_awq(gemm), "AWQ, 4 bits, groups of 128");
  expect_layer(ragged, as_awq(ragged), "AWQ, 4 bits, groups of 128");
  expect_layer(gemv, as_awq_gemv(gemv, 1), "AWQ, 4 bits, groups of 128");
  expect_layer(padded, as_awq_gemv(padded, 4), "AWQ, 4 bits, groups of 32");
}

TEST(Awq, ShapesAloneTellItFromGptq) {
  const Layer layer(40, 256, 2, 128, 4, 1);
  Forge awq = as_awq(layer), gptq = as_gptq(layer, 1, false);
  awq.config = gptq.config = "";
  expect_layer(layer, awq, "AWQ, 4 bits, groups of 128");
  expect_layer(layer, gptq, "GPTQ, 4 bits, groups of 128");
}

TEST(Awq, RefusesWhatItDoesNotKnow) {
  const TemporaryDirectory directory;
  Forge forge = as_awq(Layer(40, 256, 2, 128, 4, 1));
  for (const char* version : {"gemv_fast", "marlin", "exllama", "ipex"}) {
    forge.config =
        fmt::format(R"({{"quantization_config":{{"quant_method":"awq","bits":4,"version":"{}"}}}})", version);
    EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant.unsupported"));
  }
  forge.config = R"({"quantization_config":{"quant_method":"awq","bits":3}})";
  EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant.bits"));
}

TEST(Awq, EveryPartIsNeeded) {
  EXPECT_EQ(faults_that_pass(as_awq(Layer(40, 256, 2, 128, 4, 1)), "m.weight", {}, {}), "");
  EXPECT_EQ(faults_that_pass(as_awq_gemv(Layer(12, 256, 2, 128, 4, 1), 1), "m.weight", {}, {}), "");
}

/// Rows of codes, and zero points packed down the outputs.
Forge as_packed(const Layer& layer, bool with_zeros, bool with_index) {
  const std::uint64_t words = (layer.in * layer.bits + 31) / 32,
                      zero_words = (layer.out * layer.bits + 31) / 32;
  std::string packed(layer.out * words * 4, '\0'), zeros(zero_words * layer.groups * 4, '\0');
  for (std::uint64_t o = 0; o < layer.out; ++o)
    for (std::uint64_t i = 0; i < layer.in; ++i)
      put_bits(packed, o * words * 32 + i * layer.bits, layer.bits, layer.q[o * layer.in + i]);
  for (std::uint64_t g = 0; g < layer.groups; ++g) {
    std::string column(zero_words * 4, '\0');
    for (std::uint64_t o = 0; o < layer.out; ++o)
      put_bits(column, o * layer.bits, layer.bits, layer.z[o * layer.groups + g]);
    for (std::uint64_t w = 0; w < zero_words; ++w)
      std::memcpy(&zeros[(w * layer.groups + g) * 4], &column[w * 4], 4);
  }
  Forge forge;
  forge.parts = {{"m.weight_packed", "I32", {layer.out, words}, packed},
                 {"m.weight_scale", "F16", {layer.out, layer.groups}, bytes_of(layer.s)}};
  forge.put<std::int64_t>("m.weight_shape", "I64", {2},
                          {static_cast<std::int64_t>(layer.out), static_cast<std::int64_t>(layer.in)});
  if (with_zeros) forge.parts.push_back({"m.weight_zero_point", "I32", {zero_words, layer.groups}, zeros});
  if (with_index) forge.put("m.weight_g_idx", "I32", {layer.in}, layer.index);
  forge.config = fmt::format(
      R"({{"quantization_config":{{"quant_method":"compressed-tensors","format":"pack-quantized",)"
      R"("config_groups":{{"group_0":{{"weights":{{"num_bits":{},"group_size":{}}}}}}}}}}})",
      layer.bits, layer.group);
  return forge;
}

TEST(PackedIntegers, AllWidthsStraddlingWords) {
  for (unsigned bits = 1; bits <= 8; ++bits)
    for (const bool zeros : {false, true}) {
      Layer layer(13, 90, 3, 30, bits, bits);
      if (!zeros) std::ranges::fill(layer.z, 1U << (bits - 1));
      expect_layer(layer, as_packed(layer, zeros, false),
                   fmt::format("compressed-tensors, {} bits, groups of 30", bits));
      std::shuffle(layer.index.begin(), layer.index.end(), layer.random);
      expect_layer(layer, as_packed(layer, zeros, true),
                   fmt::format("compressed-tensors, {} bits, groups of 30, inputs named by group", bits));
    }
}

TEST(PackedIntegers, AnIndexThatWasNeverSet) {
  const Layer layer(13, 90, 3, 30, 4, 1);
  Layer unset = layer;
  std::ranges::fill(unset.index, -1);
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = as_packed(unset, true, true).open(directory);
  EXPECT_EQ(values_of(checkpoint, *tensor_named(checkpoint, "m.weight")), layer.values());
}

TEST(PackedIntegers, StackedExperts) {
  const Layer first(6, 32, 2, 16, 4, 1), second(6, 32, 2, 16, 4, 2);
  Forge stack = as_packed(first, true, false);
  const Forge other = as_packed(second, true, false);
  for (StoredPart& part : stack.parts) {
    if (part.name == "m.weight_shape") continue;
    part.bytes += std::ranges::find(other.parts, part.name, &StoredPart::name)->bytes;
    part.shape.insert(part.shape.begin(), 2);
  }
  const TemporaryDirectory directory;
  const Checkpoint checkpoint = stack.open(directory);
  const StoredTensor* tensor = tensor_named(checkpoint, "m.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, (IntegerSizes{2, 6, 32}));
  std::vector<float> expected = first.values();
  std::ranges::copy(second.values(), std::back_inserter(expected));
  EXPECT_EQ(values_of(checkpoint, *tensor), expected);
}

TEST(PackedIntegers, WidthsThatNobodyStates) {
  const TemporaryDirectory directory;
  const Layer layer(4, 3, 1, 3, 5, 1);  // one word a row, whatever the width
  Forge forge = as_packed(layer, false, false);
  forge.config = R"({"quantization_config":{"quant_method":"compressed-tensors"}})";
  EXPECT_TRUE(rules_of(forge.open(directory)).contains("quant.bits"));
}

TEST(PackedIntegers, EveryPartIsNeeded) {
  EXPECT_EQ(faults_that_pass(as_packed(Layer(13, 90, 3, 30, 4, 1), true, true), "m.weight",
                             {"m.weight_zero_point", "m.weight_g_idx"}, {"m.weight_shape"}),
            "");
}

}  // namespace
}  // namespace stemma
