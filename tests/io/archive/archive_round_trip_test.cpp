// Does an archive give back what was put into it, and only when it is whole?
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <csignal>

#include "io/archive/archive_reader.hpp"
#include "io/archive/archive_validator.hpp"
#include "io/archive/storage_error.hpp"
#include "tests/io/archive/sample.hpp"

namespace stemma {
namespace {

void expect_same(const std::vector<double>& a, const std::vector<double>& b, const std::string& where) {
  ASSERT_EQ(a.size(), b.size()) << where;
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a[i]), std::bit_cast<std::uint64_t>(b[i])) << where << " " << i;
}

void expect_same(const std::map<std::string, std::vector<double>>& a,
                 const std::map<std::string, std::vector<double>>& b, const std::string& where) {
  ASSERT_EQ(a.size(), b.size()) << where;
  for (const auto& [name, values] : a) {
    ASSERT_TRUE(b.contains(name)) << where << " " << name;
    expect_same(values, b.at(name), where + " " + name);
  }
}

void expect_same(const Fingerprint& a, const Fingerprint& b) {
  EXPECT_EQ(std::tie(a.id, a.label, a.family, a.use, a.status, a.layers, a.parameters),
            std::tie(b.id, b.label, b.family, b.use, b.status, b.layers, b.parameters));
  ASSERT_EQ(a.declared.size(), b.declared.size());
  for (std::size_t i = 0; i < a.declared.size(); ++i) {
    EXPECT_EQ(a.declared[i].base, b.declared[i].base);
    EXPECT_EQ(a.declared[i].relation, b.declared[i].relation);
    EXPECT_EQ(a.declared[i].source, b.declared[i].source);
  }
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorMark& x = a.tensors[i];
    const TensorMark& y = b.tensors[i];
    EXPECT_EQ(std::tie(x.role, x.content, x.histogram, x.dtype, x.rows, x.cols, x.bytes, x.distinct, x.known),
              std::tie(y.role, y.content, y.histogram, y.dtype, y.rows, y.cols, y.bytes, y.distinct, y.known))
        << x.role << " " << y.role;
  }
  EXPECT_EQ(a.table.layer, b.table.layer);
  EXPECT_EQ(a.table.n_elements, b.table.n_elements);
  expect_same(a.table.std_unbiased, b.table.std_unbiased, "std");
  expect_same(a.table.log_frobenius, b.table.log_frobenius, "log_frobenius");
  expect_same(a.table.kurtosis_excess, b.table.kurtosis_excess, "kurtosis");
  expect_same(a.table.s1, b.table.s1, "s1");
  expect_same(a.table.stable_rank, b.table.stable_rank, "stable_rank");
  expect_same(a.table.effective_rank, b.table.effective_rank, "effective_rank");
  EXPECT_EQ(a.guard, b.guard);
  ASSERT_EQ(a.repaired.has_value(), b.repaired.has_value());
  if (a.repaired) {
    EXPECT_EQ(a.repaired->layer, b.repaired->layer);
    for (const auto& [name, curves] : repaired_columns)
      for (std::size_t p = 0; p < projection_parts.size(); ++p)
        expect_same(((*a.repaired).*curves)[p], ((*b.repaired).*curves)[p], name);
  }
  ASSERT_EQ(a.intrinsic.has_value(), b.intrinsic.has_value());
  if (!a.intrinsic) return;
  EXPECT_EQ(a.intrinsic->layer, b.intrinsic->layer);
  EXPECT_EQ(a.intrinsic->random_init, b.intrinsic->random_init);
  EXPECT_EQ(a.intrinsic->random_init_reason, b.intrinsic->random_init_reason);
  for (std::size_t j = 0; j < 4; ++j) {
    expect_same(a.intrinsic->curve[j], b.intrinsic->curve[j], "curve");
    expect_same(a.intrinsic->twin[j], b.intrinsic->twin[j], "twin");
    expect_same(a.intrinsic->edge[j], b.intrinsic->edge[j], "edge");
  }
  expect_same(a.intrinsic->further, b.intrinsic->further, "further");
}

class Archive : public testing::Test {
 protected:
  sample::Scratch scratch;
  sample::Corpus corpus = sample::make_corpus();
  std::filesystem::path path = scratch / "family.h5";
};

TEST_F(Archive, FingerprintsComeBackUnchanged) {
  sample::write_sample(corpus, path);
  const ArchiveReader reader(path);
  const auto after = reader.fingerprints();
  ASSERT_EQ(after.size(), corpus.fingerprints.size());
  for (std::size_t i = 0; i < after.size(); ++i) expect_same(corpus.fingerprints[i], after[i]);
}

TEST_F(Archive, MeasurementsComeBackUnchanged) {
  sample::write_sample(corpus, path);
  const ArchiveReader reader(path);
  const auto rows = reader.tensors(0);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto found = corpus.features[0].find({"histogram", rows[i].role});
    const auto after = reader.histogram(reader.models()[0].first_tensor + i);
    ASSERT_EQ(after.has_value(), found != corpus.features[0].end()) << rows[i].name;
    if (!after) continue;
    EXPECT_EQ(*after, found->second) << rows[i].role;
    ++compared;
  }
  EXPECT_EQ(compared, 6U);
}

TEST_F(Archive, SpectraComeBackUnchanged) {
  sample::write_sample(corpus, path);
  const ArchiveReader reader(path);
  std::size_t compared = 0;
  for (std::size_t model : {0U, 1U})
    for (std::size_t i = 0; i < reader.tensors(model).size(); ++i) {
      const auto found = corpus.features[model].find({"spectrum", reader.tensors(model)[i].role});
      const auto after = reader.spectrum(reader.models()[model].first_tensor + i);
      ASSERT_EQ(after.has_value(), found != corpus.features[model].end());
      if (!after) continue;
      EXPECT_EQ(*after, found->second);
      ++compared;
    }
  EXPECT_EQ(compared, 10U);
}

TEST_F(Archive, SpectraAreNoPartOfWhatIsExact) {
  const ArchiveHashes before = sample::write_sample(corpus, path);
  for (double& s : corpus.features[0].at({"spectrum", "embed"}).reals.at("value")) s *= 1 + 1e-15;
  const ArchiveHashes after = sample::write_sample(corpus, scratch / "other.h5");
  EXPECT_EQ(before.exact, after.exact);
  EXPECT_NE(before.all, after.all);
}

TEST_F(Archive, FusedTensorsHaveTheirOwnRowAndViews) {
  sample::write_sample(corpus, path);
  const ArchiveReader reader(path);
  const std::uint64_t base = reader.models()[1].first_tensor;
  const auto rows = reader.tensors(1);
  std::vector<std::pair<std::string, std::string>> names;
  for (const TensorRow& row : rows) names.emplace_back(row.name, row.role);
  EXPECT_EQ(names,
            (std::vector<std::pair<std::string, std::string>>{{"a.buffer", ""},
                                                              {"embed.weight", "embed"},
                                                              {"layers.0.norm", "layers/0/norm.pre_attn"},
                                                              {"layers.0.q", "layers/0/attn.q"},
                                                              {"layers.1.qkv", ""},
                                                              {"layers.1.qkv", "layers/1/attn.k"},
                                                              {"layers.1.qkv", "layers/1/attn.q"},
                                                              {"layers.1.qkv", "layers/1/attn.v"},
                                                              {"z.rotary", "layers/1/buffer"}}));
  EXPECT_EQ(rows[0].status, Status::skipped);
  EXPECT_EQ(rows[8].status, Status::skipped);
  EXPECT_TRUE(rows[4].content_known);
  EXPECT_EQ(rows[4].rows, 8U);
  EXPECT_EQ(rows[4].cols, 24U);
  for (const std::size_t view : {5U, 6U, 7U}) EXPECT_EQ(rows[view].view_of, base + 4);
  EXPECT_FALSE(rows[3].view_of);
  EXPECT_EQ(rows[5].status, Status::failed);
  EXPECT_FALSE(rows[5].content_known);
  // The embedding is alpha's, everything else is new.
  const std::uint64_t alpha_embed = reader.models()[0].first_tensor + 1;
  EXPECT_EQ(rows[1].duplicate_of, alpha_embed);
  for (const std::size_t other : {0U, 2U, 3U, 4U, 5U, 6U, 7U}) EXPECT_FALSE(rows[other].duplicate_of);
}

TEST_F(Archive, PairsFailuresFindingsAndConfigComeBack) {
  sample::write_sample(corpus, path);
  const ArchiveReader reader(path);
  const auto pairs = reader.pairs();
  ASSERT_EQ(pairs.size(), 3U);
  const Pair& p = pairs[0];
  EXPECT_EQ(std::tie(p.a, p.b, p.relation, p.reason, p.sentence),
            std::tie(corpus.pairs[0].a, corpus.pairs[0].b, corpus.pairs[0].relation, corpus.pairs[0].reason,
                     corpus.pairs[0].sentence));
  EXPECT_TRUE(std::isnan(p.log10_p));
  ASSERT_EQ(p.evidence.size(), 2U);
  EXPECT_TRUE(pairs[1].evidence.empty());
  const Evidence& e = p.evidence[0];
  const Evidence& f = corpus.pairs[0].evidence[0];
  EXPECT_EQ(std::tie(e.method, e.statistic, e.null, e.score, e.background_percentile, e.background_n,
                     e.background, e.control, e.grade, e.role, e.abstain, e.detail_json),
            std::tie(f.method, f.statistic, f.null, f.score, f.background_percentile, f.background_n,
                     f.background, f.control, f.grade, f.role, f.abstain, f.detail_json));
  EXPECT_EQ(reader.failures(), std::vector<Failure>{corpus.failure});
  // Bytes that are no UTF-8 are escaped, everything else stays.
  ModelFinding finding = corpus.finding;
  finding.finding.tensor = "bad\\xFFname";
  EXPECT_EQ(reader.findings(), std::vector<ModelFinding>{finding});
  EXPECT_EQ(reader.config().original_yaml, "# mine\na: 1\n");
  EXPECT_EQ(reader.attribute("plan_digest"), "d");
}

TEST_F(Archive, CanonicalHashesDoNotDependOnChunksOrPlace) {
  const ArchiveHashes large = sample::write_sample(corpus, path);
  const ArchiveHashes small =
      sample::write_sample(corpus, scratch / "other.h5", {.table_bytes = 64, .payload_bytes = 32});
  EXPECT_EQ(large, small);
  EXPECT_EQ(ArchiveReader(path).hashes(), large);
  EXPECT_EQ(large.exact.size(), 64U);
  EXPECT_NE(large.exact, large.all);

  sample::Corpus moved = corpus;
  for (Model& m : moved.models) m.checkpoint.files[0].path = "/elsewhere";
  moved.failure.node = "another";
  EXPECT_EQ(sample::write_sample(moved, scratch / "moved.h5"), large);
}

TEST_F(Archive, CanonicalHashesSeeEveryChange) {
  const ArchiveHashes before = sample::write_sample(corpus, path);
  sample::Corpus moment = corpus;
  double& mean = moment.features[0].at({"histogram", "embed"}).numbers.at("mean");
  mean = std::nextafter(mean, 10);
  const ArchiveHashes after = sample::write_sample(moment, scratch / "moment.h5");
  EXPECT_NE(after.exact, before.exact);
  EXPECT_NE(after.all, before.all);
  // Scores of methods are in canonical_all only.
  sample::Corpus score = corpus;
  score.pairs[0].evidence[0].score = 0.5;
  const ArchiveHashes scored = sample::write_sample(score, scratch / "score.h5");
  EXPECT_EQ(scored.exact, before.exact);
  EXPECT_NE(scored.all, before.all);
}

TEST_F(Archive, AppearsUnderItsNameOnlyWhenItIsWhole) {
  {
    ArchiveWriter writer = sample::filled_writer(corpus, path);
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(std::filesystem::exists(scratch / "family.h5.tmp.test"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << "an abandoned writer leaves nothing";
  sample::write_sample(corpus, path);
  struct stat status = {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0444U);
  EXPECT_FALSE(std::filesystem::exists(scratch / "family.h5.tmp.test"));
  EXPECT_TRUE(validate(path).empty());
}

TEST_F(Archive, ModelsMustAscend) {
  ArchiveWriter writer(path, "test");
  writer.add_model({.id = "b"}, sample::source_of({}));
  EXPECT_THROW(writer.add_model({.id = "b"}, sample::source_of({})), std::invalid_argument);
  EXPECT_THROW(writer.add_model({.id = "a"}, sample::source_of({})), std::invalid_argument);
}

TEST_F(Archive, EmptyArchiveIsSound) {
  ArchiveWriter(path, "test").publish();
  EXPECT_TRUE(validate(path).empty());
  EXPECT_TRUE(ArchiveReader(path).fingerprints().empty());
}

TEST_F(Archive, DirectoryThatCannotBeWrittenIsOneSentence) {
  try {
    ArchiveWriter writer(scratch / "absent/family.h5", "test");
    ADD_FAILURE() << "created a file in no directory";
  } catch (const StorageError& e) {
    EXPECT_EQ(e.operation(), "create");
    EXPECT_EQ(e.error_number(), ENOENT);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
  }
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0555));
  const uid_t me = geteuid();
  if (me == 0) {
    ASSERT_EQ(seteuid(65534), 0);  // root may write everywhere
  }
  try {
    ArchiveWriter writer(path, "test");
    ADD_FAILURE() << "wrote into a read-only directory";
  } catch (const StorageError& e) {
    EXPECT_EQ(e.error_number(), EACCES);
    EXPECT_EQ(e.file(), path.string() + ".tmp.test");
  }
  ASSERT_EQ(seteuid(me), 0);
}

// The limit on file sizes stands for a full disk: the kernel refuses the write in the same place.
TEST_F(Archive, FullDiskIsOneClearSentenceAndTheProcessLives) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {1U, 100U, 4'000U, 20'000U, 100'000U, 400'000U, 600'000U}) {
    const rlimit tight{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
    try {
      sample::write_sample(corpus, path);
      ADD_FAILURE() << "wrote past " << bytes;
    } catch (const StorageError& e) {
      EXPECT_TRUE(e.no_space()) << e.what();
      EXPECT_NE(std::string(e.what()).find("nothing was published half-done"), std::string::npos);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << bytes;
  }
  sample::write_sample(corpus, path);
  EXPECT_TRUE(validate(path).empty());
}

// The Python test opens this file; it stays in the build directory.
TEST_F(Archive, SampleForOtherReaders) {
  const std::filesystem::path sample = STEMMA_BUILD_DIR "/tests/archive_sample.h5";
  std::filesystem::remove(sample);
  sample::write_sample(corpus, sample);
  EXPECT_TRUE(std::filesystem::exists(sample));
}

}  // namespace
}  // namespace stemma
