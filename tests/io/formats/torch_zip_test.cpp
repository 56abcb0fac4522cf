// Do archives of torch.save become tensors at their places, and do those that lie become a refusal?
#include "io/formats/torch_zip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "io/formats/file_reader.hpp"
#include "tests/io/formats/fixtures.hpp"
#include "tests/io/formats/torch_fixtures.hpp"

namespace stemma {
namespace {

using fixtures::floats;
using fixtures::MemoryReader;
using fixtures::torch_content;
using fixtures::zip_of;
using fixtures::ZipContent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace fixtures::pickled;
using namespace std::string_literals;

/// In memory, by the reader of the format: open_container looks for the file.
Container open(const std::string& bytes) {
  MemoryReader reader(bytes);
  return open_torch_zip(reader.file(), reader);
}

Container open(std::string_view value, const std::vector<std::string>& storages) {
  return open(zip_of(torch_content(whole(value), storages)).bytes);
}

Finding refusal(std::string_view value, const std::vector<std::string>& storages) {
  try {
    open(value, storages);
  } catch (const InvalidInput& refused) {
    return refused.finding();
  }
  return {};
}

std::vector<std::string> rules_of_zip(const Container& container) {
  std::vector<std::string> rules;
  for (const Finding& finding : container.findings)
    if (finding.rule != "pickle.globals") rules.push_back(finding.rule);
  return rules;
}

const Tensor matrix{.elements = 6, .shape = {2, 3}, .strides = {3, 1}};

/// A file, its container, and the values of its tensors as a reader gets them.
class Written {
 public:
  Written(std::string_view value, const std::vector<std::string>& storages) {
    directory_.write("model.pt", zip_of(torch_content(whole(value), storages)).bytes);
    file_ = stat_source(directory_.path("model.pt"));
    container_ = open_container(file_, reader_);
  }
  const Container& container() const { return container_; }
  const StoredTensor& tensor(const std::string& name) const {
    for (const StoredTensor& tensor : container_.tensors)
      if (tensor.name == name) return tensor;
    throw std::runtime_error("no tensor " + name);
  }
  template <class Number>
  std::vector<Number> values(const std::string& name) {
    const StoredTensor& stored = tensor(name);
    std::vector<Number> out(stored.bytes / sizeof(Number));
    reader_.read(source_of(file_, stored), stored.offset, std::as_writable_bytes(std::span(out)));
    return out;
  }

 private:
  fixtures::TemporaryDirectory directory_;
  FileReader reader_;
  SourceFile file_;
  Container container_;
};

TEST(TorchZip, AStateDict) {
  Written file(
      dict({{"b.weight", rebuilt({.elements = 6, .shape = {3, 2}, .strides = {2, 1}})},
            {"a.bias",
             rebuilt({.key = "1", .type = "DoubleStorage", .elements = 2, .shape = {2}, .strides = {1}})}}),
      {floats(6), fixtures::raw(0.5) + fixtures::raw(-2.0)});
  EXPECT_EQ(file.container().format, "torch_zip");
  ASSERT_EQ(file.container().tensors.size(), 2U);
  EXPECT_EQ(file.container().tensors[0].name, "b.weight") << "in the order of the bytes";
  EXPECT_THAT(file.tensor("b.weight").shape, ElementsAre(3, 2));
  EXPECT_EQ(file.tensor("b.weight").decoding, nullptr);
  EXPECT_EQ(file.tensor("b.weight").offset % 64, 0U);
  EXPECT_THAT(file.values<float>("b.weight"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file.values<double>("a.bias"), ElementsAre(0.5, -2));
  EXPECT_THAT(rules_of_zip(file.container()), IsEmpty());
  EXPECT_EQ(
      file.container().findings.at(0).found,
      "collections.OrderedDict, torch.DoubleStorage, torch.FloatStorage, torch._utils._rebuild_tensor_v2");
}

TEST(TorchZip, EveryType) {
  const std::vector<std::pair<std::string, Dtype>> types{
      {"FloatStorage", Dtype::f32},     {"DoubleStorage", Dtype::f64},      {"HalfStorage", Dtype::f16},
      {"BFloat16Storage", Dtype::bf16}, {"LongStorage", Dtype::i64},        {"IntStorage", Dtype::i32},
      {"ShortStorage", Dtype::i16},     {"CharStorage", Dtype::i8},         {"ByteStorage", Dtype::u8},
      {"BoolStorage", Dtype::boolean},  {"ComplexFloatStorage", Dtype::c64}};
  for (const auto& [type, dtype] : types) {
    const Container container =
        open(dict({{"x", rebuilt({.type = type, .elements = 1, .shape = {}, .strides = {}})}}),
             {std::string(bits_of(dtype) / 8, 'x')});
    ASSERT_EQ(container.tensors.size(), 1U) << type;
    EXPECT_EQ(container.tensors[0].dtype, dtype);
    EXPECT_THAT(container.tensors[0].shape, IsEmpty());
    EXPECT_EQ(container.tensors[0].bytes, bits_of(dtype) / 8);
  }
  const std::vector<std::pair<std::string, Dtype>> newer{{"float8_e4m3fn", Dtype::f8_e4m3},
                                                         {"float8_e5m2", Dtype::f8_e5m2},
                                                         {"uint16", Dtype::u16},
                                                         {"bfloat16", Dtype::bf16}};
  for (const auto& [type, dtype] : newer) {
    const std::int64_t bytes = bits_of(dtype) / 8 * 6;
    const Tensor tensor{
        .type = "UntypedStorage", .elements = bytes, .offset = 2, .shape = {2, 2}, .strides = {2, 1}};
    const Container container =
        open(dict({{"x", rebuilt_v3(tensor, type)}}), {std::string(static_cast<std::size_t>(bytes), 'x')});
    ASSERT_EQ(container.tensors.size(), 1U) << type;
    EXPECT_EQ(container.tensors[0].dtype, dtype);
    EXPECT_EQ(container.tensors[0].bytes, bits_of(dtype) / 8 * 4);
  }
  const std::string foreign = rebuilt({.type = "QInt8Storage", .elements = 4, .shape = {4}, .strides = {1}});
  const Container quantised = open(dict({{"x", foreign}}), {"abcd"});
  EXPECT_EQ(quantised.tensors.size(), 0U);
  EXPECT_THAT(rules_of_zip(quantised), ElementsAre("pickle.dtype"));
  EXPECT_EQ(quantised.findings.back().found, "torch.QInt8Storage");
  const Tensor bytes{.type = "UntypedStorage", .elements = 16, .shape = {1}, .strides = {1}};
  EXPECT_EQ(refusal(dict({{"x", rebuilt_v3(bytes, "float33")}}), {std::string(16, 'x')}).rule,
            "pickle.tensor_malformed");
  for (const std::string& value : {rebuilt_v3(bytes, "complex128"), rebuilt(bytes)}) {
    const Container other =
        open(dict({{"x", value}, {"y", rebuilt({.key = "1", .elements = 1, .shape = {1}, .strides = {1}})}}),
             {std::string(16, 'x'), floats(1)});
    EXPECT_EQ(other.tensors.size(), 1U) << "one type that is not read loses one tensor";
    EXPECT_THAT(rules_of_zip(other), ElementsAre("pickle.dtype"));
  }
}

TEST(TorchZip, WaysToRebuild) {
  const std::string plain = global("torch._utils", "_rebuild_tensor") + "(" + place(matrix) + "tR";
  const std::string parameter =
      global("torch._utils", "_rebuild_parameter") + "(" + rebuilt(matrix) + "\x88" + ordered_dict() + "tR";
  const std::string with_state = global("torch._utils", "_rebuild_parameter_with_state") + "(" +
                                 rebuilt(matrix) + "\x88" + ordered_dict() + "}tR";
  const std::string of_type = global("torch._tensor", "_rebuild_from_type_v2") + "(" +
                              global("torch._utils", "_rebuild_tensor_v2") + global("torch", "Tensor") + "(" +
                              place(matrix) + "\x89" + ordered_dict() + "t}tR";
  const std::string with_hooks = rebuilt(matrix) + "}" + text("hook") + "K\1sb";
  for (const std::string& value : {plain, parameter, with_state, of_type, with_hooks}) {
    Written file(dict({{"x", value}}), {floats(6)});
    EXPECT_THAT(file.values<float>("x"), ElementsAre(1, 2, 3, 4, 5, 6));
  }
  for (const std::string& value : {global("torch._utils", "_rebuild_tensor_v2") + ")R",
                                   global("torch._utils", "_rebuild_tensor_v2") + "(K\1K\1K\1K\1tR",
                                   global("torch._utils", "_rebuild_tensor_v3") + "(" + place(matrix) + "tR",
                                   global("torch._utils", "_rebuild_tensor_v2") + "]R"})
    EXPECT_EQ(refusal(dict({{"x", value}}), {floats(6)}).rule, "pickle.tensor_malformed");
}

TEST(TorchZip, Strides) {
  Written file(
      dict({{"fortran", rebuilt({.elements = 24, .shape = {2, 3, 4}, .strides = {1, 2, 6}})},
            {"column", rebuilt({.elements = 24, .offset = 1, .shape = {4, 1}, .strides = {6, 1}})},
            {"rows", rebuilt({.elements = 24, .offset = 6, .shape = {2, 6}, .strides = {6, 1}})},
            {"single", rebuilt({.elements = 24, .offset = 23, .shape = {1, 1}, .strides = {77, 99}})},
            {"none", rebuilt({.elements = 24, .offset = 24, .shape = {0, 5}, .strides = {5, 1}})}}),
      {floats(24, 0)});
  std::vector<float> fortran;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) fortran.push_back(static_cast<float>(i + 2 * j + 6 * k));
  EXPECT_EQ(file.values<float>("fortran"), fortran);
  EXPECT_THAT(file.values<float>("column"), ElementsAre(1, 7, 13, 19));
  EXPECT_THAT(file.values<float>("rows"), ElementsAre(6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_THAT(file.values<float>("single"), ElementsAre(23));
  EXPECT_THAT(file.values<float>("none"), IsEmpty());
  EXPECT_NE(file.tensor("fortran").decoding, nullptr);
  EXPECT_EQ(file.tensor("rows").decoding, nullptr) << "rows after each other need no decoding";
  EXPECT_EQ(file.tensor("column").stored_bytes(), 19 * 4U) << "no more of the storage than is needed";
  EXPECT_THAT(rules_of_zip(file.container()), ElementsAre("shared_storage"));
}

TEST(TorchZip, SharedStorage) {
  const std::string weight = rebuilt(matrix);
  Written file(dict({{"embed", weight},
                     {"other", rebuilt({.key = "1", .elements = 6, .shape = {6}, .strides = {1}})},
                     {"head", weight}}),
               {floats(6), floats(6)});
  EXPECT_EQ(file.tensor("embed").offset, file.tensor("head").offset);
  ASSERT_THAT(rules_of_zip(file.container()), ElementsAre("shared_storage"));
  const Finding& shared = file.container().findings.back();
  EXPECT_EQ(shared.severity, Severity::note);
  EXPECT_EQ(shared.found, "embed, head");
}

TEST(TorchZip, TensorsThatLeaveTheirStorage) {
  const auto rule_of = [](const Tensor& tensor) {
    return refusal(dict({{"x", rebuilt(tensor)}}), {floats(6)}).rule;
  };
  EXPECT_EQ(rule_of(matrix), "");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {3, 3}, .strides = {3, 1}}), "pickle.tensor_bounds");
  EXPECT_EQ(rule_of({.elements = 6, .offset = 1, .shape = {2, 3}, .strides = {3, 1}}),
            "pickle.tensor_bounds");
  EXPECT_EQ(rule_of({.elements = 6, .offset = INT64_MAX, .shape = {2}, .strides = {1}}),
            "pickle.tensor_bounds");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {3}, .strides = {INT64_C(1) << 62}}), "pickle.tensor_bounds");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {5}, .strides = {INT64_C(1) << 62}}), "pickle.tensor_bounds")
      << "wraps to 0";
  EXPECT_EQ(rule_of({.elements = 6, .shape = {INT64_C(1) << 31, INT64_C(1) << 31}, .strides = {0, 0}}),
            "pickle.shape_overflow");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {INT64_C(1) << 32, INT64_C(1) << 32}, .strides = {0, 0}}),
            "pickle.shape_overflow");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {2}, .strides = {1, 1}}), "pickle.tensor_malformed");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {-1}, .strides = {1}}), "pickle.tensor_malformed");
  EXPECT_EQ(rule_of({.elements = 6, .shape = {2}, .strides = {-1}}), "pickle.tensor_malformed");
  EXPECT_EQ(rule_of({.elements = 6, .offset = -1, .shape = {2}, .strides = {1}}), "pickle.tensor_malformed");
  const std::vector<std::int64_t> ones(9, 1);
  EXPECT_EQ(rule_of({.elements = 6, .shape = ones, .strides = ones}), "pickle.rank_too_large");
}

TEST(TorchZip, ExpandedViews) {
  Written file(dict({{"x", rebuilt({.elements = 3, .shape = {4, 3}, .strides = {0, 1}})}}), {floats(3)});
  EXPECT_THAT(file.values<float>("x"), ElementsAre(1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3));
  EXPECT_THAT(rules_of_zip(file.container()), ElementsAre("pickle.overlapping_strides"));
  Written window(dict({{"x", rebuilt({.elements = 4, .shape = {3, 2}, .strides = {1, 1}})}}), {floats(4)});
  EXPECT_THAT(window.values<float>("x"), ElementsAre(1, 2, 2, 3, 3, 4));
  EXPECT_THAT(rules_of_zip(window.container()), ElementsAre("pickle.overlapping_strides"));
  const Finding bomb =
      refusal(dict({{"x", rebuilt({.elements = 3, .shape = {1 << 30, 3}, .strides = {0, 1}})}}), {floats(3)});
  EXPECT_EQ(bomb.rule, "pickle.overlapping_strides") << "12 GB from 12 bytes";
  EXPECT_EQ(bomb.severity, Severity::error);
}

TEST(TorchZip, Storages) {
  const auto rule_of = [](std::int64_t elements, const std::string& key, const std::string& bytes) {
    return refusal(dict({{"x", rebuilt({.key = key, .elements = elements, .shape = {1}, .strides = {1}})}}),
                   {bytes})
        .rule;
  };
  EXPECT_EQ(rule_of(6, "0", floats(6)), "");
  EXPECT_EQ(rule_of(6, "0", floats(5)), "pickle.storage_size");
  EXPECT_EQ(rule_of(6, "0", floats(7)), "pickle.storage_size");
  EXPECT_EQ(rule_of(6, "0", floats(6) + "x"), "pickle.storage_size");
  EXPECT_EQ(rule_of(INT64_C(1) << 62, "0", ""), "pickle.storage_size") << "2^64 bytes";
  EXPECT_EQ(rule_of(6, "1", floats(6)), "pickle.persistent_id");
  EXPECT_EQ(rule_of(6, "../version", floats(6)), "pickle.persistent_id");
  // A storage that no tensor of the state dict uses is held to its word too.
  EXPECT_EQ(refusal(dict({{"model", dict({{"x", rebuilt(matrix)}})},
                          {"optimizer", storage({.key = "1", .elements = 9})}}),
                    {floats(6), floats(8)})
                .rule,
            "pickle.storage_size");
}

TEST(TorchZip, Wrappers) {
  const std::string model = dict({{"x", rebuilt(matrix)}});
  const auto names_of = [](const Container& container) {
    std::vector<std::string> names;
    for (const StoredTensor& tensor : container.tensors) names.push_back(tensor.name);
    return names;
  };
  for (const char* key : {"state_dict", "model_state_dict", "model", "module", "ema_state_dict", "weights"})
    EXPECT_THAT(names_of(open(dict({{"epoch", "K\1"}, {key, model}}), {floats(6)})), ElementsAre("x")) << key;
  EXPECT_THAT(
      names_of(open(dict({{"model", dict({{"module", dict({{"state_dict", model}})}})}}), {floats(6)})),
      ElementsAre("x"));
  EXPECT_EQ(
      refusal(dict({{"model", dict({{"model", dict({{"model", dict({{"model", model}})}})}})}}), {floats(6)})
          .rule,
      "pickle.no_tensors");
  EXPECT_EQ(refusal(dict({{"generator", model}}), {floats(6)}).rule, "pickle.no_tensors");

  const std::string other = dict({{"y", rebuilt(matrix)}});
  const Container two =
      open(dict({{"step", rebuilt(matrix)}, {"ema_state_dict", other}, {"model", model}}), {floats(6)});
  EXPECT_THAT(names_of(two), ElementsAre("x")) << "the order of the keys is ours";
  EXPECT_THAT(rules_of_zip(two), ElementsAre("several_state_dicts"));
  EXPECT_EQ(two.findings.back().found, "ema_state_dict, the root");
  // A dict that holds itself under a key that is looked into.
  EXPECT_EQ(refusal("}q\0"s + text("model") + "h\0s"s, {}).rule, "pickle.no_tensors");
}

TEST(TorchZip, WhatIsNoTensor) {
  const Container container =
      open(dict({{"x", rebuilt(matrix)}, {"steps", "K\7"}, {"note", text("hello")}, {"_metadata", "}"}}),
           {floats(6)});
  ASSERT_THAT(rules_of_zip(container), ElementsAre("pickle.other_entries"));
  EXPECT_EQ(container.findings.back().found, "2, first \"steps\"");
  EXPECT_EQ(refusal("]", {}).rule, "pickle.no_tensors");
  EXPECT_EQ(refusal("]" + rebuilt(matrix) + "a", {floats(6)}).rule, "pickle.anonymous_tensors");
  EXPECT_EQ(refusal(rebuilt(matrix), {floats(6)}).rule, "pickle.anonymous_tensors");
  EXPECT_EQ(refusal(dict({{"lr", "K\1"}}), {}).rule, "pickle.no_tensors");
  const Finding module = refusal(
      global("my.models", "Net") + ")\x81" + dict({{"_parameters", dict({{"x", rebuilt(matrix)}})}}) + "b",
      {floats(6)});
  EXPECT_EQ(module.rule, "pickle.whole_module");
  EXPECT_EQ(module.found, "my.models.Net");
  EXPECT_THAT(module.hint, HasSubstr("model.state_dict()"));
  EXPECT_EQ(refusal(dict({{"model", global("my.models", "Net") + ")\x81"}}), {}).rule, "pickle.whole_module");
}

TEST(TorchZip, Names) {
  const auto rule_of = [](const std::string& name) {
    return refusal(dict({{name, rebuilt(matrix)}}), {floats(6)}).rule;
  };
  EXPECT_EQ(rule_of(std::string(4096, 'n')), "");
  EXPECT_EQ(rule_of(std::string(4097, 'n')), "pickle.name_invalid");
  EXPECT_EQ(rule_of(""), "pickle.name_invalid");
  EXPECT_EQ(rule_of("a\0b"s), "pickle.name_invalid");
  EXPECT_EQ(open(dict({{"a\xED\xB3\xBF", rebuilt(matrix)}}), {floats(6)}).tensors.at(0).name, "a\\uDCFF");
}

TEST(TorchZip, OtherArchives) {
  const auto refusal_of = [](const ZipContent& content) {
    try {
      open(zip_of(content).bytes);
    } catch (const InvalidInput& refused) {
      return refused.finding();
    }
    return Finding{};
  };
  const std::string pickle = whole(dict({{"x", rebuilt(matrix)}}));
  for (const char* code : {"m/constants.pkl", "m/code/__torch__.py"}) {
    const Finding script = refusal_of({{"m/data.pkl", pickle}, {code, "x"}, {"m/data/0", floats(6)}});
    EXPECT_EQ(script.rule, "format.refused");
    EXPECT_THAT(script.hint, HasSubstr("state dict"));
  }
  fixtures::Zip compressed = zip_of({{"m/data.pkl", pickle}, {"m/code/a.py", "x"}});
  fixtures::put16(compressed.bytes, compressed.central[1] + 10, 8);
  EXPECT_EQ(fixtures::rule_of_refusal([&] { open(compressed.bytes); }), "format.refused")
      << "as torch.jit.save has it";
  EXPECT_EQ(refusal_of({{"m/readme", "x"}}).rule, "format.refused");
  EXPECT_EQ(refusal_of({{"m/data.pkl", pickle}, {"m/byteorder", "big"}, {"m/data/0", floats(6)}}).rule,
            "zip.byteorder");
  EXPECT_EQ(refusal_of({{"m/data.pkl", pickle}, {"m/byteorder", std::string(1000, 'x')}}).rule,
            "zip.byteorder");
  EXPECT_EQ(refusal_of({{"m/data.pkl", pickle}, {"m/data/0", floats(6)}}).rule, "")
      << "older writers state no order";
  std::string damaged = zip_of({{"m/data.pkl", pickle}, {"m/data/0", floats(6)}}).bytes;
  damaged[damaged.find("torch")] = 'T';
  EXPECT_EQ(fixtures::rule_of_refusal([&] { open(damaged); }), "zip.crc");
}

TEST(TorchZip, ReadAsText) {
  std::string mangled;
  for (const char c : zip_of(torch_content(whole(dict({{"x", rebuilt(matrix)}})), {floats(6)})).bytes)
    mangled += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\xEF\xBF\xBD";
  EXPECT_EQ(fixtures::rule_of_refusal([&] { open(mangled); }), "zip.mangled_text");
  EXPECT_EQ(fixtures::rule_of_refusal([&] { open("PK\3\4 and then nothing of the kind"); }), "zip.no_eocd");
}

TEST(TorchZip, DamagedPickles) {
  // Bytes of a sound pickle changed by chance: tensors inside the file, or a refusal; never anything else.
  const Tensor turned{.elements = 24, .offset = 2, .shape = {2, 3}, .strides = {1, 2}},
      plain{.elements = 24, .shape = {4, 6}, .strides = {6, 1}};
  const std::string below = dict({{"b", rebuilt(plain)}, {"c", rebuilt_v3(plain, "float8_e5m2")}});
  const std::string pickle = whole(dict({{"a", rebuilt(turned)}, {"model", below}}));
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = pickle;
    for (std::uint32_t i = 0; i <= round % 3U; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    const std::string bytes = zip_of(torch_content(damaged, {floats(24)})).bytes;
    try {
      for (const StoredTensor& tensor : open(bytes).tensors) {
        EXPECT_LE(tensor.bytes, bytes.size());
        EXPECT_LE(tensor.place() + tensor.stored_bytes(), bytes.size());
      }
    } catch (const InvalidInput& refusal) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10'000U);
  EXPECT_LT(refused, 20'000U);
}

}  // namespace
}  // namespace stemma
