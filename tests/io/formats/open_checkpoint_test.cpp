// Is the model of a directory found, and is everything odd about its files said?
#include "io/formats/open_checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::safetensors;
using fixtures::safetensors_of;
using fixtures::TemporaryDirectory;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string index_name = "model.safetensors.index.json";
const std::string first = "model-00001-of-00002.safetensors", second = "model-00002-of-00002.safetensors";

std::vector<std::string> tensors_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const StoredTensor& tensor : checkpoint.tensors) names.push_back(tensor.name);
  return names;
}

std::vector<std::string> rules_among(const std::vector<Finding>& findings) {
  std::vector<std::string> rules;
  for (const Finding& finding : findings) rules.push_back(finding.rule);
  return rules;
}
std::vector<std::string> rules_among(const std::string& location) {
  return rules_among(open_checkpoint(location).findings);
}

Finding finding_of_refusal(const std::string& location) {
  try {
    open_checkpoint(location);
  } catch (const UnreadableModel& refused) {
    return refused.finding();
  }
  return {};
}

std::string index_of(const std::vector<std::pair<std::string, std::string>>& map,
                     std::string_view metadata = "{}") {
  std::string text;
  for (const auto& [tensor, file] : map)
    text += fmt::format(R"({}"{}":"{}")", text.empty() ? "" : ",", tensor, file);
  return fmt::format(R"({{"metadata":{},"weight_map":{{{}}}}})", metadata, text);
}

/// Two shards and an index that agree with each other.
class Sharded : public ::testing::Test {
 protected:
  Sharded() {
    directory.write(first, safetensors_of({{"b", "bb"}, {"a", "a"}}));
    directory.write(second, safetensors_of({{"c", "cccc"}}));
    write_index({{"a", first}, {"b", first}, {"c", second}});
  }
  void write_index(const std::vector<std::pair<std::string, std::string>>& map,
                   std::string_view metadata = "{}") {
    directory.write(index_name, index_of(map, metadata));
  }
  TemporaryDirectory directory;
};

TEST(OpenCheckpoint, SingleFileInADirectory) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", safetensors_of({{"b", "bb"}, {"a", "a"}}));
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_EQ(checkpoint.format, "safetensors");
  EXPECT_EQ(checkpoint.location, directory.path());
  EXPECT_THAT(tensors_of(checkpoint), ElementsAre("a", "b"));
  EXPECT_THAT(checkpoint.findings, IsEmpty());
  ASSERT_EQ(checkpoint.files.size(), 1U);
  EXPECT_EQ(checkpoint.files[0].header_bytes + 3, checkpoint.files[0].bytes);
  EXPECT_EQ(checkpoint.tensors[0].offset, checkpoint.files[0].header_bytes + 2);
  EXPECT_THAT(tensors_of(open_checkpoint(directory.path("model.safetensors"))), ElementsAre("a", "b"));
}

TEST(OpenCheckpoint, UnusualName) {
  const TemporaryDirectory directory;
  directory.write("weights.safetensors", safetensors_of({{"a", "a"}}));
  directory.write("adapter_model.safetensors", safetensors_of({{"x", "x"}}));
  directory.write("._weights.safetensors", "a resource fork");
  EXPECT_THAT(rules_among(directory.path()), ElementsAre("unusual_file_name"));
  directory.write("other.safetensors", safetensors_of({{"a", "a"}}));
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "several_models");
}

TEST(OpenCheckpoint, MetaNames) {
  const TemporaryDirectory directory;
  directory.write("consolidated.safetensors", safetensors_of({{"a", "a"}}));
  EXPECT_THAT(tensors_of(open_checkpoint(directory.path())), ElementsAre("a"));
}

TEST(OpenCheckpoint, NoModel) {
  const TemporaryDirectory directory;
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "no_model_found");
  EXPECT_EQ(finding_of_refusal(directory.path("absent")).rule, "no_model_found");
  directory.write("notes.txt", "x");
  EXPECT_THAT(finding_of_refusal(directory.path()).found, HasSubstr("notes.txt"));
  std::filesystem::create_directory(directory.path("original"));
  std::filesystem::copy_file(directory.path("notes.txt"), directory.path("original/model.safetensors"));
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "no_model_found")
      << "sub-directories hold second copies";
}

TEST(OpenCheckpoint, OtherFormatsAreRefused) {
  for (const char* name : {"mmproj-model.gguf", "consolidated.00.pth"}) {
    const TemporaryDirectory directory;
    directory.write(name, "whatever");
    EXPECT_EQ(finding_of_refusal(directory.path()).rule, "format.refused") << name;
  }
  const TemporaryDirectory adapter;
  adapter.write("adapter_config.json", "{}");
  adapter.write("adapter_model.safetensors", safetensors_of({{"x", "x"}}));
  EXPECT_THAT(finding_of_refusal(adapter.path()).found, HasSubstr("adapter"));
}

TEST(OpenCheckpoint, BesideOtherThings) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", safetensors_of({{"a", "a"}}));
  directory.write("adapter_config.json", "{}");
  directory.write("pytorch_model.bin", "x");
  directory.write("copy.safetensors", "x");
  EXPECT_THAT(rules_among(directory.path()),
              ElementsAre("adapter_beside_model", "orphan_file", "mixed_formats"));
}

TEST(OpenCheckpoint, ContentDecidesNotTheExtension) {
  const TemporaryDirectory directory;
  directory.write("a.bin", safetensors_of({{"a", "a"}}));
  EXPECT_THAT(rules_among(directory.path("a.bin")), ElementsAre("extension_mismatch"));
  directory.write("b.bin", "what is this");
  EXPECT_EQ(finding_of_refusal(directory.path("b.bin")).rule, "format.unknown");
  EXPECT_EQ(finding_of_refusal(directory.path("b.bin")).found, "77 68 61 74 20 69 73 20 74 68 69 73");
}

TEST(OpenCheckpoint, PointerInsteadOfWeights) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors",
                  "version https://git-lfs.github.com/spec/v1\noid sha256:0123abcd\nsize 4711\n");
  const Finding finding = finding_of_refusal(directory.path());
  EXPECT_EQ(finding.rule, "lfs_pointer");
  EXPECT_THAT(finding.hint, HasSubstr("4711"));
  EXPECT_THAT(finding.hint, HasSubstr("0123abcd"));
}

TEST(OpenCheckpoint, BrokenSingleFileKeepsItsRule) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", safetensors("{}", "x"));
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "safetensors.trailing_bytes");
  directory.write("model.safetensors", "");
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "format.refused");
}

TEST(OpenCheckpoint, NotAFile) {
  const TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.path("model.safetensors").c_str(), 0600), 0);
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "file.open_failed") << "must not block";
  EXPECT_EQ(finding_of_refusal(directory.path("model.safetensors")).rule, "file.open_failed");
  const TemporaryDirectory nested;
  std::filesystem::create_directory(nested.path("model.safetensors"));
  EXPECT_EQ(finding_of_refusal(nested.path()).rule, "file.open_failed");
}

TEST(OpenCheckpoint, NoReadPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryDirectory directory;
  directory.write("model.safetensors", safetensors_of({{"a", "a"}}));
  std::filesystem::permissions(directory.path("model.safetensors"), std::filesystem::perms::none);
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "file.open_failed");
}

TEST_F(Sharded, Agreeing) {
  write_index({{"a", first}, {"b", first}, {"c", second}}, R"({"total_size":7,"format":"pt"})");
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(tensors_of(checkpoint), ElementsAre("a", "b", "c"));
  EXPECT_EQ(checkpoint.tensors[2].file, 1U);
  EXPECT_THAT(checkpoint.findings, IsEmpty());
  EXPECT_THAT(tensors_of(open_checkpoint(directory.path(index_name))), ElementsAre("a", "b", "c"));
}

TEST_F(Sharded, WrongTotal) {
  write_index({{"a", first}, {"b", first}, {"c", second}}, R"({"total_size":8})");
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("index_total_size"));
  EXPECT_EQ(checkpoint.findings[0].expected, "7");
}

TEST_F(Sharded, MissingShard) {
  std::filesystem::remove(directory.path(second));
  const Finding finding = finding_of_refusal(directory.path());
  EXPECT_EQ(finding.rule, "missing_shard");
  EXPECT_EQ(finding.file, second);
}

TEST_F(Sharded, DanglingLink) {
  std::filesystem::remove(directory.path(second));
  std::filesystem::create_symlink("../../blobs/nowhere", directory.path(second));
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "incomplete_download");
}

TEST_F(Sharded, LinksAreFollowed) {
  std::filesystem::rename(directory.path(second), directory.path("blob"));
  std::filesystem::create_symlink("blob", directory.path(second));
  EXPECT_THAT(rules_among(directory.path()), IsEmpty());
}

TEST_F(Sharded, LinksOutOfARepositoryOfTheHubAreNot) {
  const std::string snapshot = "models--a--b/snapshots/" + std::string(40, '0') + "/";
  for (const std::string& part : {first, second}) {
    directory.write(snapshot + part, "");
    std::filesystem::copy(directory.path(part), directory.path("models--a--b/" + part));
    std::filesystem::remove(directory.path(snapshot + part));
    std::filesystem::create_symlink("../../" + part, directory.path(snapshot + part));
  }
  EXPECT_THAT(rules_among(directory.path(snapshot)), ElementsAre("missing_index"));
  std::filesystem::remove(directory.path(snapshot + second));
  std::filesystem::create_symlink(directory.path(second), directory.path(snapshot + second));
  const Finding finding = finding_of_refusal(directory.path(snapshot));
  EXPECT_EQ(finding.rule, "unreadable_shard");
  EXPECT_EQ(finding.found, "path.symlink_escape");
}

TEST_F(Sharded, UnreadableShardCarriesItsRule) {
  directory.write(first, safetensors("[]"));
  directory.write(second, safetensors("{}", "x"));
  try {
    open_checkpoint(directory.path());
    FAIL();
  } catch (const UnreadableModel& refused) {
    EXPECT_THAT(rules_among(refused.findings()), ElementsAre("unreadable_shard", "unreadable_shard"));
    EXPECT_EQ(refused.finding().file, first);
    EXPECT_EQ(refused.finding().found, "safetensors.header_not_object");
    EXPECT_EQ(refused.findings()[1].found, "safetensors.trailing_bytes");
  }
}

TEST_F(Sharded, IndexNamesAnotherFile) {
  write_index({{"a", first}, {"b", second}, {"c", second}});
  try {
    open_checkpoint(directory.path());
    FAIL();
  } catch (const UnreadableModel& refused) {
    EXPECT_EQ(refused.finding().rule, "index_mismatch");
    EXPECT_EQ(refused.finding().tensor, "b");
    EXPECT_EQ(refused.finding().file, second);
    EXPECT_THAT(rules_among(refused.findings()), Contains("shadowed_tensor"));
  }
}

TEST_F(Sharded, UnindexedTensorIsNotUsed) {
  write_index({{"a", first}, {"c", second}});
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("unindexed_tensor"));
  EXPECT_EQ(checkpoint.findings[0].tensor, "b");
  EXPECT_THAT(tensors_of(checkpoint), ElementsAre("a", "c"));
}

TEST_F(Sharded, ShadowedTensor) {
  directory.write(second, safetensors_of({{"c", "cccc"}, {"a", "A"}}));
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("shadowed_tensor"));
  EXPECT_EQ(checkpoint.findings[0].file, second);
  EXPECT_EQ(checkpoint.tensors[0].file, 0U);
}

TEST_F(Sharded, OrphanFile) {
  directory.write("model-00001-of-00003.safetensors", "x");
  EXPECT_THAT(rules_among(directory.path()), ElementsAre("orphan_file"));
}

TEST_F(Sharded, SingleFileBesideTheIndex) {
  directory.write("model.safetensors", safetensors_of({{"a", "a"}, {"b", "bb"}, {"c", "ccc"}}));
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("ambiguous_model_files"));
  EXPECT_THAT(checkpoint.findings[0].found, HasSubstr("\"c\""));
  EXPECT_EQ(checkpoint.files.size(), 2U);
}

TEST_F(Sharded, UnsafeNamesAreRefusedBeforeAnyOpen) {
  for (const char* name :
       {"../x.safetensors", "/etc/passwd", "a/b.safetensors", R"(a\\b.safetensors)", "", "..",
        R"(a\u0000.safetensors)", R"(a\n.safetensors)", "model.safetensors.index.json", "x.txt"}) {
    write_index({{"a", first}, {"b", name}});
    std::filesystem::remove(directory.path(first));  // if it were opened first, it would be missing
    EXPECT_EQ(finding_of_refusal(directory.path()).rule, "path.unsafe_name") << name;
  }
  write_index({{"a", std::string(300, 'n') + ".safetensors"}});
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "path.unsafe_name");
}

TEST_F(Sharded, IndexMustBeStrictJson) {
  const std::vector<std::pair<std::string, std::string>> broken{
      {"{", "json.syntax"},
      {R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})", "json.duplicate_key"},
      {R"({"metadata":)" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", "json.too_deep"},
      {"[]", "index.malformed"},
      {"{}", "index.malformed"},
      {R"({"weight_map":{}})", "index.malformed"},
      {R"({"weight_map":["a"]})", "index.malformed"},
      {R"({"weight_map":{"a":1}})", "index.malformed"},
      {R"({"weight_map":{"a":{"b":"c"}}})", "index.malformed"}};
  for (const auto& [text, rule] : broken) {
    directory.write(index_name, text);
    EXPECT_EQ(finding_of_refusal(directory.path()).rule, rule) << text.substr(0, 60);
  }
  std::filesystem::resize_file(directory.path(index_name), std::uint64_t{1} << 30);
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "limit.file_size");
}

TEST_F(Sharded, PartsWithoutIndex) {
  std::filesystem::remove(directory.path(index_name));
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("missing_index"));
  EXPECT_THAT(tensors_of(checkpoint), ElementsAre("a", "b", "c"));

  directory.write(second, safetensors_of({{"a", "a"}, {"c", "cccc"}}));
  const Checkpoint twice = open_checkpoint(directory.path());
  EXPECT_THAT(rules_among(twice.findings), Contains("duplicate_tensor"));
  EXPECT_THAT(tensors_of(twice), ElementsAre("a", "b", "c"));

  directory.write(second, safetensors_of({{"a", "A"}, {"c", "cccc"}}));
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "duplicate_tensor");
}

TEST_F(Sharded, PartsWithAGap) {
  std::filesystem::remove(directory.path(index_name));
  std::filesystem::remove(directory.path(first));
  const Finding finding = finding_of_refusal(directory.path());
  EXPECT_EQ(finding.rule, "missing_shard");
  EXPECT_EQ(finding.file, first);
}

TEST(OpenCheckpoint, PartsThatAreNone) {
  const TemporaryDirectory directory;
  directory.write("model-00003-of-00002.safetensors", safetensors_of({{"a", "a"}}));
  EXPECT_THAT(rules_among(directory.path()), ElementsAre("unusual_file_name")) << "I > N is just a name";
  const TemporaryDirectory mixed;
  mixed.write("model-00001-of-00002.safetensors", safetensors_of({{"a", "a"}}));
  mixed.write("model-2-of-2.safetensors", safetensors_of({{"b", "b"}}));
  EXPECT_EQ(finding_of_refusal(mixed.path()).rule, "missing_shard") << "widths must agree";
}

TEST(OpenCheckpoint, ManyParts) {
  const TemporaryDirectory directory;
  directory.write("model-000001-of-900000.safetensors", "x");
  EXPECT_EQ(finding_of_refusal(directory.path()).rule, "limit.shards");
}

TEST(OpenCheckpoint, SideFiles) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", safetensors_of({{"a", "a"}}));
  directory.write("config.json", R"({"model_type":"llama","_name_or_path":"org/parent","x":NaN})");
  directory.write("README.md", "---\nbase_model: org/base\nbase_model_relation: finetune\n---\n# text\n");
  const Checkpoint checkpoint = open_checkpoint(directory.path());
  EXPECT_EQ(checkpoint.config_json, R"({"model_type":"llama","_name_or_path":"org/parent","x":null})");
  ASSERT_EQ(checkpoint.claims.size(), 2U);
  EXPECT_EQ(checkpoint.claims[0].base, "org/parent");
  EXPECT_EQ(checkpoint.claims[0].source, "config.json");
  EXPECT_EQ(checkpoint.claims[1].base, "org/base");
  EXPECT_EQ(checkpoint.claims[1].relation, "finetune");

  EXPECT_FALSE(open_checkpoint(directory.path("model.safetensors")).config_json.empty());
  directory.write("another.safetensors", safetensors_of({{"a", "a"}}));
  EXPECT_TRUE(open_checkpoint(directory.path("another.safetensors")).config_json.empty());
}

TEST(OpenCheckpoint, VariantsAreNamedByTheirFileOrIndex) {
  const TemporaryDirectory directory;
  const std::string half = "model.fp16.safetensors", index = "model.safetensors.index.fp16.json";
  directory.write("config.json", "{}");
  directory.write("model.safetensors", safetensors_of({{"whole", "ab"}}));
  directory.write(half, safetensors_of({{"a", "a"}}));
  directory.write("model.fp16-00001-of-00001.safetensors", safetensors_of({{"b", "b"}}));
  directory.write(index, index_of({{"b", "model.fp16-00001-of-00001.safetensors"}}));
  const auto opened = [&](const std::string& name) { return open_checkpoint(directory.path() + "/" + name); };
  EXPECT_THAT(tensors_of(open_checkpoint(directory.path())), ElementsAre("whole"));
  EXPECT_THAT(tensors_of(opened(half)), ElementsAre("a"));
  EXPECT_THAT(tensors_of(opened(index)), ElementsAre("b"));
  for (const std::string& name : {std::string("model.safetensors"), half, index})
    EXPECT_EQ(opened(name).config_json, "{}") << name << ": the config is that of every form";
  directory.write("another.safetensors", safetensors_of({{"c", "c"}}));
  EXPECT_EQ(opened("another.safetensors").config_json, "") << "whose config is it?";
}

TEST(OpenCheckpoint, BrokenSideFilesLoseThemselvesOnly) {
  for (const char* config : {"{", "[]", R"({"a":1,"a":2})", "\xFF"}) {
    const TemporaryDirectory directory;
    directory.write("model.safetensors", safetensors_of({{"a", "a"}}));
    directory.write("config.json", config);
    directory.write("README.md", "---\na: &x [1]\nbase_model: *x\n---\n");
    const Checkpoint checkpoint = open_checkpoint(directory.path());
    EXPECT_EQ(checkpoint.config_json, "");
    EXPECT_THAT(checkpoint.claims, IsEmpty());
    EXPECT_THAT(rules_among(checkpoint.findings), ElementsAre("yaml.alias", "config.ignored"));
    EXPECT_THAT(tensors_of(checkpoint), ElementsAre("a"));
  }
}

}  // namespace
}  // namespace stemma
