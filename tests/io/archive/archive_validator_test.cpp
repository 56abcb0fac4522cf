// Is every broken rule of an archive noticed, whatever broke it?
#include "io/archive/archive_validator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <random>
#include <set>

#include "io/archive/archive_reader.hpp"
#include "io/archive/hdf5.hpp"
#include "io/archive/seal.hpp"
#include "tests/io/archive/sample.hpp"

namespace stemma {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;

class Validator : public testing::Test {
 protected:
  void SetUp() override {
    sample::write_sample(sample::make_corpus(), path);
    std::filesystem::permissions(path, std::filesystem::perms(0644));
  }

  std::vector<std::string> rules() const {
    std::vector<std::string> out;
    for (const Complaint& c : validate(path)) out.push_back(c.rule);
    return out;
  }

  // Changes the file as a program with a mistake would, and seals it again.
  void change(const std::function<void(h5::File&)>& mistake) const {
    h5::File file = h5::File::open_for_writing(path.string());
    mistake(file);
    file.close();
    seal(path);
  }

  template <class Number>
  static void set(h5::File& file, const std::string& column, h5::Type type, std::uint64_t row, Number value) {
    file.dataset(column).write(type, {row}, {1}, std::as_bytes(std::span(&value, 1)));
  }

  std::string refusal() const {
    try {
      const ArchiveReader reader(path);
      return "";
    } catch (const InvalidInput& e) {
      return e.finding().rule;
    }
  }

  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write_bytes(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }

  sample::Scratch scratch;
  std::filesystem::path path = scratch / "family.h5";
};

TEST_F(Validator, SoundArchiveHasNoComplaints) {
  for (const Complaint& c : validate(path)) ADD_FAILURE() << sentence(c);
  EXPECT_EQ(refusal(), "");
}

TEST_F(Validator, EveryFlippedByteIsNoticed) {
  const std::string whole = bytes();
  std::mt19937_64 random(1);
  for (int i = 0; i < 400; ++i) {
    std::string changed = whole;
    const std::size_t at = random() % (whole.size() - 32);
    changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
    write_bytes(changed);
    EXPECT_THAT(rules(), ElementsAre("archive.seal_broken")) << "byte " << at;
    if (i < 20) {
      EXPECT_EQ(refusal(), "archive.damaged") << "byte " << at;
    }
  }
  for (std::size_t at = whole.size() - 32; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_bytes(changed);
    EXPECT_FALSE(rules().empty()) << "byte " << at << " of the seal";
  }
}

TEST_F(Validator, EveryTruncationIsNoticed) {
  const std::string whole = bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, std::size_t{4096},
                                 whole.size() / 2, whole.size() - 33, whole.size() - 1}) {
    write_bytes(whole.substr(0, size));
    EXPECT_THAT(rules(), Contains("archive.seal_absent")) << size;
  }
  write_bytes(whole.substr(0, whole.size() / 2));
  EXPECT_THAT(rules(), Contains("archive.unreadable"));
  EXPECT_EQ(refusal(), "archive.unsealed");
}

TEST_F(Validator, OtherFilesAreNoArchives) {
  write_bytes("not HDF5 at all");
  EXPECT_THAT(rules(), IsSupersetOf({"archive.seal_absent", "archive.unreadable"}));
  EXPECT_EQ(refusal(), "archive.not_an_archive");
  path = scratch / "absent.h5";
  EXPECT_THAT(rules(), ElementsAre("archive.not_found"));
  EXPECT_EQ(refusal(), "archive.not_found");
  h5::File other = h5::File::create(path.string());
  other.close();
  EXPECT_THAT(rules(), IsSupersetOf({"archive.seal_absent", "archive.version"}));
  EXPECT_EQ(refusal(), "archive.unsealed");
  seal(path);
  EXPECT_EQ(refusal(), "archive.not_an_archive");
}

TEST_F(Validator, ToolsThatRewriteTheFileDropItsSeal) {
  h5::File file = h5::File::open_for_writing(path.string());
  file.group("").set_text("title", "mine");
  file.close();
  EXPECT_THAT(rules(), ElementsAre("archive.seal_absent"));
  EXPECT_EQ(refusal(), "archive.unsealed");
}

TEST_F(Validator, NewerMajorVersionsAreRefusedByName) {
  change([](h5::File& f) { f.group("").set_text("stemma_archive", "2.0.0"); });
  EXPECT_THAT(rules(), ElementsAre("archive.version"));
  EXPECT_EQ(refusal(), "archive.newer_version");
}

TEST_F(Validator, YoungerMinorVersionsWithUnknownGroupsAreRead) {
  change([](h5::File& f) {
    f.group("").set_text("stemma_archive", "1.7.0");
    f.create_group("later").set_text("encoding_type", "table");
  });
  EXPECT_THAT(rules(), ElementsAre());
  EXPECT_EQ(refusal(), "");
}

TEST_F(Validator, UnfinishedArchivesAreRefused) {
  change([](h5::File& f) { f.group("").set_integer("complete", h5::Type::u1, 0); });
  EXPECT_THAT(rules(), ElementsAre("archive.incomplete"));
  EXPECT_EQ(refusal(), "archive.incomplete");
}

TEST_F(Validator, AllComplaintsAreListed) {
  change([](h5::File& f) {
    f.remove("moments/mean");
    f.remove("plan");
    f.dataset("tensors/rows").set_real("_FillValue", 0);
    f.create_dataset("layers/extra", h5::Type::f8, {.extents = {3}, .maximum = {3}, .chunk = {3}});
  });
  std::vector<std::string> all;
  for (const Complaint& c : validate(path)) all.push_back(c.rule + " " + c.where);
  EXPECT_THAT(
      all, IsSupersetOf({"archive.missing moments/mean", "archive.missing /plan", "archive.missing plan/item",
                         "archive.missing plan/width", "archive.fill_value tensors/rows@_FillValue"}));
}

TEST_F(Validator, WrongTypesScalesAndExtents) {
  change([](h5::File& f) {
    f.remove("tensors/rows");
    f.create_dataset("tensors/rows", h5::Type::u4, {.extents = {3}, .maximum = {3}, .chunk = {3}});
  });
  EXPECT_THAT(rules(),
              IsSupersetOf({"archive.type", "archive.scale", "archive.dimensions", "archive.attribute"}));
}

TEST_F(Validator, ValuesThatMayNotStandThere) {
  change([](h5::File& f) {
    set(f, "tensors/dtype", h5::Type::u1, 1, std::uint8_t{200});
    set(f, "tensors/view_of", h5::Type::u4, 2, std::uint32_t{99});
    set(f, "evidence/pair_index", h5::Type::u4, 0, std::uint32_t{77});
  });
  EXPECT_THAT(rules(), IsSupersetOf({"archive.flag", "archive.index", "archive.hash"}));
}

TEST_F(Validator, RaggedColumnsWithGaps) {
  change([](h5::File& f) { set(f, "histograms/row_start", h5::Type::u8, 1, std::uint64_t{6}); });
  EXPECT_THAT(rules(), Contains("archive.ragged"));
  change([](h5::File& f) { set(f, "models/tensor_count", h5::Type::u4, 2, std::uint32_t{5}); });
  EXPECT_THAT(rules(), Contains("archive.ragged"));
}

TEST_F(Validator, NumbersBeyondEveryFileAreComplaintsToo) {
  change([](h5::File& f) {
    set(f, "histograms/row_start", h5::Type::u8, 0, ~std::uint64_t{0});
    set(f, "histograms/row_count", h5::Type::u4, 1, ~std::uint32_t{0});
    set(f, "tensors/rows", h5::Type::u8, 1, ~std::uint64_t{0});
    set(f, "histograms/count", h5::Type::u8, 0, ~std::uint64_t{0});
  });
  EXPECT_THAT(rules(), IsSupersetOf({"archive.ragged", "archive.count"}));
}

TEST_F(Validator, CountsMustAddUp) {
  change([](h5::File& f) { set(f, "histograms/count", h5::Type::u8, 0, std::uint64_t{1}); });
  EXPECT_THAT(rules(), ElementsAre("archive.count", "archive.hash", "archive.hash"));
}

TEST_F(Validator, MomentsMustCountEveryElement) {
  change([](h5::File& f) { set(f, "moments/n_nan", h5::Type::u8, 1, std::uint64_t{5}); });
  EXPECT_THAT(rules(), ElementsAre("archive.count", "archive.hash", "archive.hash"));
}

TEST_F(Validator, SpectraMustDescendAndKeepTheNorm) {
  const auto spoilt = [&](const char* column, h5::Type type, auto value) {
    SetUp();
    change([&](h5::File& f) { set(f, column, type, 1, value); });
    std::vector<std::string> all;
    for (const Complaint& c : validate(path))
      if (c.rule != "archive.hash") all.push_back(c.rule + " " + c.where);
    return all;
  };
  EXPECT_THAT(spoilt("spectra/value", h5::Type::f8, 1e9), ElementsAre("archive.order spectra/value"));
  EXPECT_THAT(spoilt("spectra/value", h5::Type::f8, -1.0), ElementsAre("archive.order spectra/value"));
  EXPECT_THAT(spoilt("spectra/value", h5::Type::f8, std::nan("")),
              ElementsAre("archive.order spectra/value"));
  EXPECT_THAT(spoilt("moments/frobenius_sq", h5::Type::f8, 2.0),
              ElementsAre("archive.spectrum spectra/value"));
  EXPECT_THAT(spoilt("spectra/e_estimate", h5::Type::f8, 1.0),
              ElementsAre("archive.spectrum spectra/e_estimate"));
  EXPECT_THAT(spoilt("spectra/count_below_tau", h5::Type::u4, std::uint32_t{0}),
              ElementsAre("archive.spectrum spectra/count_below_tau"));
  EXPECT_THAT(spoilt("spectra/rows", h5::Type::u8, std::uint64_t{3}),
              testing::Contains("archive.spectrum spectra/rows"));
}

TEST_F(Validator, RepairedResponsesMustBeMoments) {
  // Layer 0 of the first model lies in row 1 and has a kurtosis of 2.75 in its first projection.
  const auto spoilt = [&](const std::string& column, std::uint64_t projection, double value) {
    SetUp();
    change([&](h5::File& f) {
      f.dataset("methods/tensorguard/" + column)
          .write(h5::Type::f8, {1, projection}, {1, 1}, std::as_bytes(std::span(&value, 1)));
    });
    std::set<std::string> all;
    for (const Complaint& c : validate(path))
      if (c.rule != "archive.hash") all.insert(c.rule + " " + c.where);
    return all;
  };
  const std::string where = "archive.response methods/tensorguard/";
  EXPECT_THAT(spoilt("repaired_kurtosis", 0, 2.5), ElementsAre());
  EXPECT_THAT(spoilt("repaired_kurtosis", 0, 0.9), ElementsAre(where + "repaired_kurtosis"));
  EXPECT_THAT(spoilt("repaired_skewness", 0, 1.7), ElementsAre(where + "repaired_skewness"));
  EXPECT_THAT(spoilt("repaired_skewness", 0, -0.1), ElementsAre(where + "repaired_skewness"));
  EXPECT_THAT(spoilt("repaired_skewness", 0, INFINITY), ElementsAre(where + "repaired_skewness"));
  EXPECT_THAT(spoilt("control_repaired_kurtosis", 0, 3.5), ElementsAre(where + "control_repaired_kurtosis"));
  EXPECT_THAT(spoilt("spread_repaired_kurtosis", 0, -1), ElementsAre(where + "spread_repaired_kurtosis"));
  EXPECT_THAT(spoilt("control_repaired_skewness", 0, -1), ElementsAre(where + "control_repaired_skewness"));
  EXPECT_THAT(spoilt("repaired_skewness", 1, 0.5), ElementsAre(where + "repaired_skewness"));
}

TEST_F(Validator, OrderOfModelsPairsAndCodes) {
  change([](h5::File& f) {
    f.dataset("models/id").write_text(0, std::vector<std::string>{"zeta"});
    set(f, "pairs/model_a", h5::Type::u4, 0, std::uint32_t{1});
    set(f, "histograms/code", h5::Type::u2, 1, std::uint16_t{0});
  });
  std::vector<std::string> all;
  for (const Complaint& c : validate(path)) all.push_back(c.rule + " " + c.where);
  EXPECT_THAT(all, IsSupersetOf({"archive.order models/id", "archive.order pairs/model_a",
                                 "archive.order histograms/code"}));
}

TEST_F(Validator, DuplicatesMustBeEqual) {
  change([](h5::File& f) { set(f, "tensors/duplicate_of", h5::Type::u4, 10, std::uint32_t{2}); });
  EXPECT_THAT(rules(), Contains("archive.duplicate"));
}

TEST_F(Validator, TextsAreHeldToTheirHashes) {
  change([](h5::File& f) { f.dataset("config/resolved_yaml").write_scalar("a: 2\n"); });
  EXPECT_THAT(rules(), ElementsAre("archive.hash"));
  change([](h5::File& f) { f.dataset("schema/layout").write_scalar("another"); });
  EXPECT_THAT(rules(), ElementsAre("archive.hash", "archive.layout_text"));
}

TEST_F(Validator, ColumnsOutsideTheHashesMayDiffer) {
  change([](h5::File& f) { f.dataset("models/path").write_text(0, std::vector<std::string>{"/elsewhere"}); });
  EXPECT_THAT(rules(), ElementsAre());
}

}  // namespace
}  // namespace stemma
