// Are torch files of other people read as is known about them, and refused where they must be, without
// running any?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "io/formats/adapter.hpp"
#include "io/formats/container.hpp"
#include "io/formats/file_reader.hpp"
#include "io/model/widen.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma {
namespace {

using fixtures::rule_of_refusal;
using ::testing::ElementsAre;

/// One file, opened, and the values of its tensors.
class Opened {
 public:
  explicit Opened(const std::filesystem::path& path)
      : file_(stat_source(path.string())), container_(open_container(file_, reader_)) {}
  const Container& container() const { return container_; }
  const StoredTensor* find(const std::string& name) const {
    const auto found = std::ranges::find(container_.tensors, name, &StoredTensor::name);
    return found == container_.tensors.end() ? nullptr : &*found;
  }
  std::vector<std::byte> bytes(const StoredTensor& tensor) {
    std::vector<std::byte> out(tensor.bytes);
    reader_.read(source_of(file_, tensor), tensor.offset, out);
    return out;
  }
  std::vector<std::int64_t> integers(const std::string& name) {
    std::vector<std::int64_t> out(find(name)->elements());
    const std::vector<std::byte> raw = bytes(*find(name));
    std::memcpy(out.data(), raw.data(), raw.size());
    return out;
  }

 private:
  FileReader reader_;
  SourceFile file_;
  Container container_;
};

std::string refusal(const std::filesystem::path& path) {
  return rule_of_refusal([&] { Opened{path}; });
}

class TorchRealFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(data_ / "broken" / "torch_found"))
      GTEST_SKIP() << "no test data at " << data_ << "; set STEMMA_TEST_DATA";
  }
  const std::filesystem::path data_ = fixtures::test_data(), found_ = data_ / "broken" / "torch_found",
                              checkpoints_ = data_ / "checkpoints";
};

TEST_F(TorchRealFiles, TheManifest) {
  const std::map<std::string, std::string> rules{
      {"mangled_as_utf8.pt", "zip.mangled_text"},
      {"mangled_as_utf8_and_crlf.pth", "zip.mangled_text"},
      {"MALICIOUS_torch_zip_runs_shell.pt", "unexpected_global"},
      {"no_tensors.pt", "pickle.no_tensors"},  // a sound archive, but no model
  };
  std::ifstream manifest(found_ / "manifest.tsv");
  std::string line;
  std::getline(manifest, line);
  std::size_t files = 0;
  while (std::getline(manifest, line)) {
    std::istringstream fields(line);
    std::string file, verdict;
    std::getline(fields, file, '\t');
    std::getline(fields, verdict, '\t');
    ++files;
    const auto known = rules.find(file);
    const std::string expected = known != rules.end()  ? known->second
                                 : verdict == "accept" ? ""
                                                       : "format.refused";
    EXPECT_EQ(refusal(found_ / file), expected) << file;
  }
  EXPECT_EQ(files, 16U);
}

TEST_F(TorchRealFiles, SmallArchives) {
  const std::vector<std::int64_t> eight{1, 2, 3, 4, 5, 6, 7, 8};
  for (const char* name : {"i64.pt", "nested_key.pt"}) {
    Opened file(found_ / name);
    ASSERT_NE(file.find("test"), nullptr);
    EXPECT_THAT(file.find("test")->shape, ElementsAre(2, 4));
    EXPECT_EQ(file.integers("test"), eight);
  }
  Opened boolean(found_ / "bool.pt");
  EXPECT_EQ(boolean.find("bool")->dtype, Dtype::boolean);
  EXPECT_THAT(boolean.bytes(*boolean.find("bool")),
              ElementsAre(std::byte{1}, std::byte{0}, std::byte{0}, std::byte{1}));
  Opened fortran(found_ / "fortran_strides.pth");
  std::vector<std::int64_t> counted(24);
  for (std::size_t i = 0; i < 24; ++i) counted[i] = static_cast<std::int64_t>(i + 1);
  EXPECT_THAT(fortran.find("tensor_fortran")->shape, ElementsAre(2, 3, 4));
  EXPECT_EQ(fortran.integers("tensor_fortran"), counted);
}

TEST_F(TorchRealFiles, WholeModules) {
  for (const char* step : {"0", "100", "200", "300", "400", "test"})
    EXPECT_EQ(refusal(checkpoints_ / "induction_head" / step / "model.pth"), "pickle.whole_module");
}

TEST_F(TorchRealFiles, AStateDictOfGpt2) {
  Opened file(checkpoints_ / "makemore_induction" / "model.pt");
  EXPECT_EQ(file.container().tensors.size(), 31U);
  EXPECT_THAT(file.find("transformer.h.0.attn.c_attn.weight")->shape, ElementsAre(192, 64));
  ASSERT_NE(file.find("transformer.h.1.attn.c_attn.bias"), nullptr);
  // The buffer is a causal mask: ones on and below the diagonal.
  const StoredTensor& mask = *file.find("transformer.h.0.attn.bias");
  std::vector<double> values(mask.elements());
  widen(mask.dtype, file.bytes(mask), values);
  const std::size_t width = mask.shape.back();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], i % width <= i / width ? 1 : 0);
}

/// How two files agree, as relations.tsv measured it on the very files.
struct Agreement {
  std::size_t matrices = 0, identical = 0;
  std::vector<double> cosines;
  double median() {
    std::ranges::sort(cosines);
    const std::size_t half = cosines.size() / 2;
    return cosines.size() % 2 != 0 ? cosines[half] : (cosines[half - 1] + cosines[half]) / 2;
  }
};

Agreement compare(Opened& a, Opened& b) {
  Agreement out;
  for (const StoredTensor& left : a.container().tensors) {
    const StoredTensor* const right = b.find(left.name);
    if (right == nullptr || left.shape.size() < 2 || left.shape != right->shape || left.elements() < 64 ||
        !is_real(left.dtype))
      continue;
    ++out.matrices;
    const std::vector<std::byte> x = a.bytes(left), y = b.bytes(*right);
    out.identical += x == y ? 1 : 0;
    std::vector<double> u(left.elements()), v(left.elements());
    widen(left.dtype, x, u);
    widen(right->dtype, y, v);
    double uu = 0, vv = 0, uv = 0;
    for (std::size_t i = 0; i < u.size(); ++i) uu += u[i] * u[i], vv += v[i] * v[i], uv += u[i] * v[i];
    out.cosines.push_back(uv / std::sqrt(uu * vv));
  }
  return out;
}

TEST_F(TorchRealFiles, DecisionTransformersAgreeAsMeasured) {
  std::ifstream relations(checkpoints_ / "relations.tsv");
  std::string line;
  std::size_t pairs = 0;
  std::map<std::string, Opened> files;
  while (std::getline(relations, line)) {
    if (!line.starts_with("decision_transformer/")) continue;
    std::istringstream fields(line);
    std::string a, b, relation;
    std::size_t matrices = 0, identical = 0;
    double median = 0, least = 0, most = 0;
    std::getline(fields, a, '\t');
    std::getline(fields, b, '\t');
    std::getline(fields, relation, '\t');
    fields >> matrices >> identical >> median >> least >> most;
    for (const std::string& name : {a, b}) files.try_emplace(name, checkpoints_ / name);
    Agreement agreement = compare(files.at(a), files.at(b));
    EXPECT_EQ(agreement.matrices, matrices) << a << " " << b;
    EXPECT_EQ(agreement.identical, identical) << a << " " << b;
    EXPECT_NEAR(agreement.median(), median, 6e-5) << a << " " << b;
    EXPECT_NEAR(agreement.cosines.front(), least, 6e-5) << a << " " << b;
    EXPECT_NEAR(agreement.cosines.back(), most, 6e-5) << a << " " << b;
    ++pairs;
  }
  EXPECT_EQ(pairs, 18U);
  EXPECT_EQ(files.size(), 8U);
  for (auto& [name, file] : files) {
    std::size_t masks = 0, scalars = 0;
    for (const StoredTensor& tensor : file.container().tensors) {
      masks += tensor.dtype == Dtype::boolean ? 1 : 0;
      scalars += tensor.shape.empty() ? 1 : 0;
    }
    EXPECT_GT(masks, 0U) << name;
    EXPECT_GT(scalars, 0U) << name;
  }
}

TEST_F(TorchRealFiles, Adapters) {
  const auto directory = checkpoints_ / "adapters" / "untrained";
  FileReader reader;
  const Adapter mlp = open_adapter((directory / "lora_mlp").string(), reader);
  ASSERT_EQ(mlp.pairs.size(), 1U);
  EXPECT_EQ(mlp.pairs[0].module, "lin0");
  EXPECT_EQ(mlp.pairs[0].rank, 8U);
  EXPECT_THAT(mlp.pairs[0].a.shape, ElementsAre(8, 10));
  EXPECT_THAT(mlp.pairs[0].b.shape, ElementsAre(20, 8));
  const Adapter saved = open_adapter((directory / "lora_mlp_modules_to_save").string(), reader);
  ASSERT_EQ(saved.pairs.size(), 1U);
  EXPECT_FALSE(saved.others.empty()) << "a full layer";
  EXPECT_EQ(read_factor(mlp, mlp.pairs[0].a, reader), read_factor(saved, saved.pairs[0].a, reader));
  EXPECT_EQ(read_factor(mlp, mlp.pairs[0].b, reader), read_factor(saved, saved.pairs[0].b, reader));
  EXPECT_EQ(open_adapter((directory / "lora_opt_125m").string(), reader).pairs.size(), 24U);
  for (const char* other :
       {"ia3_mlp", "ia3_conv2d", "ia3_no_ff_mlp", "ia3_opt_350m", "adalora_mlp", "lora_conv2d"})
    EXPECT_NE(rule_of_refusal([&] { open_adapter((directory / other).string(), reader); }), "") << other;
}

}  // namespace
}  // namespace stemma
