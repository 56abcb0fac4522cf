// Does the GGUF reader see what sound files hold, and refuse each fault with the rule that it breaks?
#include "io/formats/gguf.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "io/formats/file_reader.hpp"
#include "io/formats/gguf_types.hpp"
#include "tests/harness/patience.hpp"
#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/gguf_fixture.hpp"

namespace stemma {
namespace {

using namespace ::testing;
using namespace fixtures;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Container read(const std::string& bytes) {
  MemoryReader reader(bytes);
  SourceFile file = reader.file();
  file.path = "memory.gguf";
  return read_gguf(file, reader);
}
Container read(const GgufParts& parts) { return read(parts.bytes()); }

std::string rule(const std::string& bytes) {
  return rule_of_refusal([&] { read(bytes); });
}
std::string rule(const GgufParts& parts) { return rule(parts.bytes()); }

std::vector<std::string> rules_found(const Container& container) {
  std::vector<std::string> rules;
  for (const Finding& finding : container.findings) rules.push_back(finding.rule);
  return rules;
}

/// The rule for one pair more, and for one entry instead of all.
std::string rule_with_pair(const std::string& pair) {
  GgufParts parts = two_tensors();
  parts.pairs.push_back(pair);
  return rule(parts);
}
std::string rule_with_entry(const std::string& entry, std::size_t data_bytes = 4096) {
  GgufParts parts = two_tensors();
  parts.entries = {entry};
  parts.data = std::string(data_bytes, '\0');
  return rule(parts);
}

TEST(Gguf, ReadsPlainTensors) {
  for (const std::uint32_t version : {2U, 3U}) {
    GgufParts parts = two_tensors();
    parts.version = version;
    const Container file = read(parts);
    EXPECT_EQ(file.format, "gguf");
    ASSERT_THAT(file.tensors, SizeIs(2));
    EXPECT_EQ(file.tensors[0].name, "a");
    EXPECT_THAT(file.tensors[0].shape, ElementsAre(2, 3));  // the contiguous dimension comes last
    EXPECT_EQ(file.tensors[0].offset, file.header_bytes);
    EXPECT_EQ(file.tensors[1].offset, file.header_bytes + 32);
    EXPECT_EQ(file.tensors[1].bytes, 16U);
    EXPECT_EQ(file.tensors[1].decoding, nullptr);
    EXPECT_THAT(file.findings, IsEmpty());
  }
}

TEST(Gguf, HoldsEveryTypeOfTheFormat) {
  std::size_t removed = 0, readable = 0, books = 0;
  for (std::uint32_t id = 0; id <= 42; ++id) {
    const GgufType* type = gguf_type(id);
    ASSERT_NE(type, nullptr) << id;
    if (type->is_removed()) {
      ++removed;
      EXPECT_EQ(rule_with_entry(gguf_entry("t", {256}, id, 0)), "gguf.type");
      continue;
    }
    GgufParts parts;
    parts.pairs = {gguf_u32("general.quantization_version", 2)};
    parts.entries = {gguf_entry("t", {256, 3}, id, 0)};
    parts.data = std::string(3 * 256 / type->values * type->bytes, '\0');
    const Container file = read(parts);
    if (type->is_readable()) {
      ++readable;
      ASSERT_THAT(file.tensors, SizeIs(1)) << type->name;
      EXPECT_THAT(file.tensors[0].shape, ElementsAre(3, 256));
      EXPECT_EQ(file.tensors[0].bytes, 3 * 256 * bits_of(file.tensors[0].dtype) / 8);
      EXPECT_EQ(file.tensors[0].stored_bytes(), parts.data.size());
    } else {
      ++books;
      EXPECT_THAT(file.tensors, IsEmpty());
      EXPECT_THAT(rules_found(file), ElementsAre("gguf.unsupported_quant"));
    }
    parts.data.pop_back();
    EXPECT_EQ(rule(parts), "gguf.truncated") << type->name;
  }
  EXPECT_EQ(removed, 8U);
  EXPECT_EQ(books, 7U);
  EXPECT_EQ(readable, 28U);
  EXPECT_EQ(gguf_type(43), nullptr);
}

TEST(Gguf, LeavesOutATypeThatNobodyKnows) {
  GgufParts parts = two_tensors();
  parts.entries = {gguf_entry("a", {3, 2}, 43, 0), gguf_entry("b", {4}, 0, 32)};
  const Container file = read(parts);
  ASSERT_THAT(file.tensors, SizeIs(1));
  EXPECT_EQ(file.tensors[0].name, "b");
  EXPECT_THAT(rules_found(file), ElementsAre("gguf.unsupported_type"));
  EXPECT_EQ(file.findings[0].tensor, "a");
  EXPECT_EQ(file.findings[0].severity, Severity::warning);
  parts.entries[1] = gguf_entry("b", {4}, 0, 33);  // order and alignment are still asked for
  EXPECT_EQ(rule(parts), "gguf.offset");
}

TEST(Gguf, RefusesABadHead) {
  const auto with = [](const auto& change) {
    GgufParts parts = two_tensors();
    change(parts);
    return rule(parts);
  };
  for (const char* magic : {"GUGF", "FUGG", "BAAD"})
    EXPECT_EQ(with([&](auto& p) { p.magic = magic; }), "gguf.magic");
  for (const std::uint32_t version : {0U, 1U, 4U, 0x03000000U})
    EXPECT_EQ(with([&](auto& p) { p.version = version; }), "gguf.version") << version;
  for (const std::int64_t count : {std::int64_t{-1}, INT64_MAX, std::int64_t{1'048'577}, std::int64_t{100}}) {
    EXPECT_EQ(with([&](auto& p) { p.n_tensors = count; }), "gguf.counts") << count;
    EXPECT_EQ(with([&](auto& p) { p.n_kv = count; }), "gguf.counts") << count;
  }
}

TEST(Gguf, RefusesEveryCutOfTheHeaderAndTheData) {
  const std::string whole = two_tensors().bytes();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_THAT(rule(whole.substr(0, bytes)), ::testing::StartsWith("gguf.")) << bytes;
}

TEST(Gguf, RefusesBadPairs) {
  EXPECT_EQ(rule_with_pair(gguf_u32("", 1)), "gguf.string");
  EXPECT_EQ(rule_with_pair(gguf_u32(std::string(65'536, 'k'), 1)), "gguf.string");
  EXPECT_EQ(rule_with_pair(gguf_u32(std::string(65'535, 'k'), 1)), "");
  EXPECT_EQ(rule_with_pair(raw<std::uint64_t>(UINT64_MAX) + std::string(40, 'k')), "gguf.string");
  EXPECT_EQ(rule_with_pair(gguf_pair("k", 8, raw<std::uint64_t>(UINT64_MAX))), "gguf.string");
  EXPECT_EQ(rule_with_pair(gguf_pair("k", 13, raw<std::uint64_t>(0))), "gguf.kv_type");
  EXPECT_EQ(rule_with_pair(gguf_pair("k", 9, raw<std::uint32_t>(9) + raw<std::uint64_t>(1))),
            "gguf.kv_nested_array");
  for (const std::uint32_t element : {0U, 4U, 8U, 10U})
    EXPECT_EQ(rule_with_pair(gguf_pair("k", 9, raw(element) + raw<std::uint64_t>(std::uint64_t{1} << 60))),
              "gguf.kv_array");
  EXPECT_EQ(rule_with_pair(gguf_pair("k", 7, std::string(1, '\2'))), "gguf.kv_bool");
  EXPECT_EQ(rule_with_pair(gguf_pair("k", 9, raw<std::uint32_t>(7) + raw<std::uint64_t>(2) + "\1\2")),
            "gguf.kv_bool");
  EXPECT_EQ(rule_with_pair(gguf_text("general.architecture", "other")), "gguf.duplicate_key");
}

TEST(Gguf, ReadsAllKindsOfValues) {
  GgufParts parts = two_tensors();
  constexpr std::array<std::size_t, 13> bytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  for (std::uint32_t kind = 0; kind < bytes.size(); ++kind) {
    const std::string name = fmt::format("kind.{}", kind);
    if (bytes[kind] > 0) parts.pairs.push_back(gguf_pair(name, kind, std::string(bytes[kind], '\1')));
    if (kind == 9) continue;
    const std::string one = kind == 8 ? gguf_string("\xff not UTF-8") : std::string(bytes[kind], '\1');
    parts.pairs.push_back(gguf_pair(name + ".array", 9, raw(kind) + raw<std::uint64_t>(2) + one + one));
  }
  EXPECT_THAT(read(parts).tensors, SizeIs(2));
}

TEST(Gguf, NotesKeysThatAreNotPrintableAscii) {
  GgufParts parts = two_tensors();
  parts.pairs.push_back(gguf_u32("sch\xc3\xb6n", 1));
  EXPECT_THAT(rules_found(read(parts)), ElementsAre("gguf_key_charset"));
}

TEST(Gguf, ChecksTheAlignment) {
  EXPECT_EQ(rule_with_pair(gguf_u32("general.alignment", 0)), "gguf.alignment");
  EXPECT_EQ(rule_with_pair(gguf_u32("general.alignment", 3)), "gguf.alignment");
  EXPECT_EQ(rule_with_pair(gguf_u32("general.alignment", 131'072)), "gguf.alignment");
  EXPECT_EQ(rule_with_pair(gguf_pair("general.alignment", 10, raw<std::uint64_t>(32))), "gguf.alignment");
  EXPECT_EQ(rule_with_pair(gguf_u32("general.alignment", 64)), "gguf.offset");  // "b" stands at 32
  GgufParts parts = two_tensors();
  parts.pairs.push_back(gguf_u32("general.alignment", 4));
  parts.alignment = 4;
  parts.entries[1] = gguf_entry("b", {4}, 0, 24);
  parts.data.erase(24, 8);
  const Container file = read(parts);
  EXPECT_THAT(file.tensors, SizeIs(2));
  EXPECT_THAT(rules_found(file), ElementsAre("gguf.alignment"));
}

TEST(Gguf, RefusesBadEntries) {
  EXPECT_EQ(rule_with_entry(gguf_entry(std::string(63, 'n'), {1024}, 0, 0)), "");
  EXPECT_EQ(rule_with_entry(gguf_entry(std::string(64, 'n'), {1024}, 0, 0)), "gguf.tensor_name");
  EXPECT_EQ(rule_with_entry(gguf_entry("", {1024}, 0, 0)), "gguf.tensor_name");
  EXPECT_EQ(rule_with_entry(gguf_entry("\xff", {1024}, 0, 0)), "gguf.tensor_name");
  EXPECT_EQ(rule_with_entry(gguf_entry(std::string_view("a\0b", 3), {1024}, 0, 0)), "gguf.tensor_name");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {2, 2, 2, 2, 2}, 0, 0)), "gguf.n_dims");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {-1}, 0, 0)), "gguf.ne");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {std::int64_t{1} << 62, 2}, 24, 0)), "gguf.elements");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, 24, 0)),
            "gguf.elements");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {std::int64_t{1} << 62}, 0, 0)), "gguf.elements");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {172, 4}, 12, 0)), "gguf.row_block");
  EXPECT_EQ(rule_with_entry(gguf_entry("t", {1024}, 0, 32)), "gguf.offset");
}

TEST(Gguf, RefusesHolesOverlapsAndDuplicates) {
  GgufParts parts = two_tensors();
  for (const std::uint64_t offset : {33U, 0U, 64U}) {
    parts.entries[1] = gguf_entry("b", {4}, 0, offset);
    EXPECT_EQ(rule(parts), "gguf.offset") << offset;
  }
  parts.entries[1] = gguf_entry("a", {4}, 0, 32);
  EXPECT_EQ(rule(parts), "gguf.duplicate_tensor");
}

TEST(Gguf, AccountsForTheLastByte) {
  GgufParts parts = two_tensors();
  parts.data.resize(64, '\0');  // up to the next multiple of the alignment
  EXPECT_EQ(rule(parts), "");
  parts.data.back() = '\1';
  EXPECT_EQ(rule(parts), "gguf.trailing_bytes");
  parts.data.back() = '\0';
  parts.data += std::string(32, '\0');
  EXPECT_EQ(rule(parts), "gguf.trailing_bytes");
  parts.data.resize(47);
  EXPECT_EQ(rule(parts), "gguf.truncated");
}

TEST(Gguf, ReadsScalarsAndEmptyTensors) {
  GgufParts parts;
  parts.entries = {gguf_entry("scalar", {}, 0, 0), gguf_entry("empty", {0, 5}, 0, 32)};
  parts.data = raw(1.5F);
  parts.data.resize(32, '\0');
  const Container file = read(parts);
  ASSERT_THAT(file.tensors, SizeIs(2));
  EXPECT_EQ(file.tensors[0].elements(), 1U);
  EXPECT_EQ(file.tensors[1].bytes, 0U);
}

TEST(Gguf, WantsTheVersionOfTheQuantisation) {
  GgufParts parts;
  parts.entries = {gguf_entry("t", {32}, 2, 0)};
  parts.data = std::string(18, '\0');
  EXPECT_THAT(rules_found(read(parts)), ElementsAre("gguf.quantization"));
  parts.pairs = {gguf_u32("general.quantization_version", 1)};
  EXPECT_EQ(rule(parts), "gguf.quantization");
  parts.pairs = {gguf_u32("general.quantization_version", 2)};
  EXPECT_THAT(read(parts).findings, IsEmpty());
}

TEST(Gguf, CallsAFileWithoutTensorsAVocabulary) {
  GgufParts parts;
  parts.pairs = {
      gguf_pair("tokenizer.ggml.tokens", 9,
                raw<std::uint32_t>(8) + raw<std::uint64_t>(2) + gguf_string("a") + gguf_string("b"))};
  const Container file = read(parts);
  EXPECT_THAT(rules_found(file), ElementsAre("gguf_vocab_only"));
  EXPECT_EQ(file.vocabulary, "memory.gguf");
}

TEST(Gguf, MultipliesNvfp4ByTheScaleBesideIt) {
  GgufParts parts;
  parts.pairs = {gguf_u32("general.quantization_version", 2)};
  parts.entries = {gguf_entry("m.weight", {64, 1, 2}, 40, 0), gguf_entry("m.scale", {2}, 0, 96)};
  // Scale 1 (0x38 in E4M3) for every sub-block; codes 2 (one) and 1 (a half).
  const std::string block = std::string(4, '\x38') + std::string(32, '\x12');
  parts.data = block + block;
  parts.data.resize(96, '\0');
  parts.data += raw(3.0F) + raw(-0.5F);
  MemoryReader reader(parts.bytes());
  const SourceFile file = reader.file();
  const Container container = read_gguf(file, reader);
  ASSERT_THAT(container.tensors, SizeIs(2));

  TemporaryDirectory directory;
  directory.write("f.gguf", parts.bytes());
  FileReader disk;
  const SourceFile stored = stat_source(directory.path("f.gguf"));
  const Container again = read_gguf(stored, disk);
  std::vector<float> values(128);
  disk.read(source_of(stored, again.tensors[0]), 0, std::as_writable_bytes(std::span(values)));
  EXPECT_EQ(values[0], 3.0F);
  EXPECT_EQ(values[8], 1.5F);
  EXPECT_EQ(values[64], -0.5F);
  EXPECT_EQ(values[127], -0.25F);

  parts.entries[1] = gguf_entry("n.scale", {2}, 0, 96);
  EXPECT_THAT(rules_found(read(parts)), ElementsAre("gguf.nvfp4_scale"));
}

TEST(Gguf, TellsDimensionsAndArchitecture) {
  GgufParts parts = two_tensors();
  const std::string heads = raw<std::uint32_t>(5) + raw<std::uint64_t>(3);
  parts.pairs.push_back(gguf_u32("llama.embedding_length", 64));
  parts.pairs.push_back(gguf_u32("llama.attention.head_count", 8));
  parts.pairs.push_back(
      gguf_pair("llama.attention.head_count_kv", 9,
                heads + raw<std::int32_t>(4) + raw<std::int32_t>(0) + raw<std::int32_t>(4)));
  parts.pairs.push_back(
      gguf_pair("llama.feed_forward_length", 9,
                heads + raw<std::int32_t>(4) + raw<std::int32_t>(5) + raw<std::int32_t>(4)));
  parts.pairs.push_back(gguf_u32("llama.rope.dimension_count", 4));
  const auto config = nlohmann::json::parse(read(parts).config_json);
  EXPECT_EQ(config, nlohmann::json({{"model_type", "gguf/llama"},
                                    {"hidden_size", 64},
                                    {"num_attention_heads", 8},
                                    {"num_key_value_heads", 4},
                                    {"rope_dimensions", 4},
                                    {"partial_rotary_factor", 0.5}}));
}

TEST(Gguf, PassesOnWhatItSaysOfItsDescent) {
  GgufParts parts = two_tensors();
  parts.pairs.push_back(gguf_u32("general.base_model.count", 2));
  parts.pairs.push_back(
      gguf_text("general.base_model.0.repo_url", "https://huggingface.co/meta-llama/Llama-3.1-8B"));
  parts.pairs.push_back(gguf_text("general.base_model.1.name", "Birch"));
  parts.pairs.push_back(gguf_text("general.base_model.1.organization", "Trees"));
  const Container file = read(parts);
  ASSERT_THAT(file.claims, SizeIs(2));
  EXPECT_EQ(file.claims[0].base, "meta-llama/Llama-3.1-8B");
  EXPECT_EQ(file.claims[0].source, "memory.gguf: general.base_model.0");
  EXPECT_EQ(file.claims[1].base, "Trees/Birch");
}

TEST(Gguf, SkipsListsWithoutReadingThem) {
  GgufParts parts = two_tensors();
  parts.pairs.push_back(gguf_pair(
      "scores", 9, raw<std::uint32_t>(6) + raw<std::uint64_t>(4 << 20) + std::string(16 << 20, '\0')));
  MemoryReader reader(parts.bytes());
  read_gguf(reader.file(), reader);
  EXPECT_LT(reader.bytes_read(), std::uint64_t{3} << 20);
}

TEST(Gguf, ReadsAHundredThousandTensorsInASecond) {
  GgufParts parts;
  for (std::uint64_t i = 0; i < 91'000; ++i)
    parts.entries.push_back(gguf_entry(fmt::format("blk.{}.ffn_down.weight", i), {8}, 0, 32 * i));
  parts.data.resize(std::size_t{32} * 91'000, '\0');
  const std::string bytes = parts.bytes();
  const double begun = test::processor_seconds();
  EXPECT_THAT(read(bytes).tensors, SizeIs(91'000));
  EXPECT_LT(test::processor_seconds() - begun, test::patience());
}

/// Every file of the manifest, with the rule of each refusal.
TEST(GgufCorpus, IsJudgedAsItsManifestSays) {
  const auto directory = test_data() / "broken" / "gguf_found";
  std::ifstream manifest(directory / "manifest.tsv");
  if (!manifest) GTEST_SKIP() << "no test data at " << directory << "; set STEMMA_TEST_DATA";
  const std::map<std::string, std::string> rules{{"version", "gguf.version"},
                                                 {"value type", "gguf.kv_type"},
                                                 {"magic", "gguf.magic format.refused"},
                                                 {"empty", "format.refused"},
                                                 {"lfs pointer", "lfs_pointer"}};
  std::size_t files = 0;
  std::string line;
  std::getline(manifest, line);
  while (std::getline(manifest, line)) {
    std::istringstream fields(line);
    std::string file, verdict, expected;
    std::getline(fields, file, '\t');
    std::getline(fields, verdict, '\t');
    std::getline(fields, expected, '\t');
    ++files;
    FileReader reader;
    Container container;
    const std::string refusal = rule_of_refusal(
        [&] { container = open_container(stat_source((directory / file).string()), reader); });
    if (expected == "tensor type") {
      EXPECT_EQ(refusal, "") << file;
      EXPECT_THAT(rules_found(container), ::testing::Contains("gguf.unsupported_type"));
    } else if (verdict == "accept") {
      EXPECT_EQ(refusal, "") << file;
    } else {
      ASSERT_TRUE(rules.contains(expected)) << expected;
      EXPECT_THAT(rules.at(expected), ::testing::HasSubstr(refusal)) << file;
      EXPECT_NE(refusal, "") << file;
    }
  }
  EXPECT_EQ(files, 14U);
}

}  // namespace
}  // namespace stemma
