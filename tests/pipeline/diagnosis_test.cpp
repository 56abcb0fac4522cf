// Does every fact that matters change the judgement, and does each change say what to do?
#include "pipeline/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace stemma {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

RankFacts good_rank(const std::string& host, int core) {
  RankFacts facts;
  facts.host = host;
  facts.simd = "AVX2";
  facts.cores = {core};
  facts.omp_num_threads = "1";
  facts.memory = 4 * gib;
  facts.memory_limit = "free memory";
  facts.algebra.blas = {"OpenBLAS", "Zen", "OpenBLAS 0.3.21", BlasThreading::its_own, 1};
  facts.shared_memory = 8 * gib;
  facts.session = "/tmp";
  facts.session_space = 8 * gib;
  facts.sees_place = true;
  return facts;
}

/// Four ranks on two hosts of a cluster.
Situation good() {
  Situation s{.ranks = {good_rank("a", 0), good_rank("a", 1), good_rank("b", 0), good_rank("b", 1)},
              .place = {"/cluster/out", "", "nfs", true, true, 900 * gib},
              .mpi = "Open MPI v4.1.4",
              .hdf5 = "1.10.8 (serial)"};
  return s;
}

Check check_of(const Situation& s, const std::string& topic) {
  for (const Check& check : diagnose(s))
    if (check.topic == topic) return check;
  ADD_FAILURE() << "no topic " << topic;
  return {};
}

TEST(Diagnosis, AGoodPlaceNeedsNothing) {
  for (const Check& check : diagnose(good())) {
    EXPECT_EQ(check.health, Health::ok) << check.topic << ": " << check.found;
    EXPECT_EQ(check.change, "") << check.topic;
    EXPECT_NE(check.found, "") << check.topic;
  }
  EXPECT_EQ(check_of(good(), "MPI").found, "Open MPI v4.1.4, 4 ranks on 2 hosts");
  EXPECT_THAT(check_of(good(), "memory").found, HasSubstr("4.0 GiB for each rank"));
}

struct Fault {
  std::string topic;
  Health health;
  std::function<void(Situation&)> make;
  std::string found, change;  ///< parts of both
};

std::vector<Fault> faults() {
  const auto rank = [](std::size_t i, auto change) { return [=](Situation& s) { change(s.ranks[i]); }; };
  const auto place = [](auto change) { return [=](Situation& s) { change(s.place); }; };
  return {
      {"cores", Health::advice, rank(3, [](RankFacts& r) { r.cores = {0}; }), "2 ranks on 1 usable core of b",
       "Start at most 1 rank there"},
      {"threads", Health::advice, rank(2, [](RankFacts& r) { r.omp_num_threads.reset(); }),
       "OMP_NUM_THREADS not set; OMP_NUM_THREADS=1", "Set OMP_NUM_THREADS=1"},
      {"threads", Health::problem,
       rank(2,
            [](RankFacts& r) {
              r.omp_num_threads = "8";
              r.algebra.blas.threading = BlasThreading::openmp;
            }),
       "OMP_NUM_THREADS=8", "rank 2 on b"},
      {"threads", Health::problem, rank(1, [](RankFacts& r) { r.algebra.blas.threads = 6; }),
       "BLAS keeps 6 threads on rank 1 on a", "OPENBLAS_NUM_THREADS=1"},
      {"BLAS", Health::advice, rank(3, [](RankFacts& r) { r.algebra.blas.core = "Haswell"; }),
       "kernels for Haswell; OpenBLAS 0.3.21, kernels for Zen", "OPENBLAS_CORETYPE"},
      {"BLAS", Health::advice,
       [](Situation& s) {
         for (RankFacts& r : s.ranks) r.algebra.blas = {"unknown", "", "", BlasThreading::unknown, 0};
       },
       "unknown make", "Take OpenBLAS"},
      {"self-test", Health::problem,
       rank(2, [](RankFacts& r) { r.algebra.complaints = {"dgemm NN of 7 x 5 x 8 is wrong"}; }),
       "rank 2 on b computes wrongly (dgemm NN of 7 x 5 x 8 is wrong; OpenBLAS for Zen)",
       "Leave that host out"},
      {"self-test", Health::problem,
       rank(1, [](RankFacts& r) { r.no_blas_memory = "too little memory (195 MiB). Raise ulimit -v"; }),
       "not run on rank 1 on a: too little memory (195 MiB)", "Raise ulimit -v"},
      {"memory", Health::advice, rank(3, [](RankFacts& r) { r.memory = gib; }), "1.0 GiB for each rank",
       "Start fewer ranks"},
      {"memory", Health::problem,
       rank(3,
            [](RankFacts& r) {
              r.memory = gib / 8;
              r.memory_limit = "control group";
            }),
       "set by control group (rank 3 on b); room for spectra up to about 0 columns", "container's limit"},
      {"shared memory", Health::advice, rank(2, [](RankFacts& r) { r.shared_memory = gib / 16; }),
       "64.0 MiB free", "/dev/shm of b"},
      {"shared memory", Health::advice, rank(2, [](RankFacts& r) { r.shared_memory.reset(); }), "no /dev/shm",
       "/dev/shm of b"},
      {"shared memory", Health::problem, rank(1, [](RankFacts& r) { r.session_space = 1000; }), "in /tmp",
       "set TMPDIR"},
      {"directory", Health::problem, rank(3, [](RankFacts& r) { r.sees_place = false; }),
       "/cluster/out is no directory for rank 3 on b", "all hosts share"},
      {"directory", Health::problem, place([](OutputPlace& p) { p.free_bytes = 1000; }), "1.0 kB free",
       "Free some space"},
      {"directory", Health::advice, place([](OutputPlace& p) { p.free_bytes = gib; }), "1.1 GB free",
       "Free some space"},
      {"directory", Health::advice, place([](OutputPlace& p) { p.filesystem = "local"; }),
       "a local file system", "every host"},
      {"directory", Health::advice, place([](OutputPlace& p) { p.filesystem = "lustre"; }), "lustre",
       "lfs setstripe"},
      {"archive", Health::problem, place([](OutputPlace& p) { p.problem = "Permission denied"; }),
       "Permission denied", "may write to"},
      {"archive", Health::advice, place([](OutputPlace& p) { p.locks = false; }), "cannot be locked",
       "HDF5_USE_FILE_LOCKING=FALSE"},
  };
}

TEST(Diagnosis, EveryFaultIsFoundAndChangesNothingElse) {
  const std::vector<Check> before = diagnose(good());
  for (const Fault& fault : faults()) {
    Situation s = good();
    fault.make(s);
    const Check check = check_of(s, fault.topic);
    EXPECT_EQ(check.health, fault.health) << fault.topic << ": " << check.found;
    EXPECT_THAT(check.found, HasSubstr(fault.found));
    EXPECT_THAT(check.change, HasSubstr(fault.change));
    const std::vector<Check> after = diagnose(s);
    EXPECT_EQ(worst_of(after), fault.health);
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].topic, before[i].topic);
      if (after[i].topic != fault.topic) {
        EXPECT_EQ(after[i].health, Health::ok) << fault.topic << " also spoils " << after[i].topic;
      }
    }
  }
}

TEST(RankFacts, TravelWhole) {
  RankFacts facts = good_rank("n\"1", 3);
  facts.omp_num_threads.reset();
  facts.session_space.reset();
  facts.algebra.complaints = {"dsyrk", "dgemm"};
  facts.algebra.seconds = 0.125;
  facts.no_blas_memory = "none";
  const RankFacts back = decode_rank_facts(encode(facts));
  EXPECT_EQ(encode(back), encode(facts));
  EXPECT_EQ(back.host, facts.host);
  EXPECT_EQ(back.cores, facts.cores);
  EXPECT_FALSE(back.omp_num_threads || back.session_space);
  EXPECT_EQ(back.algebra.complaints, facts.algebra.complaints);
  EXPECT_EQ(back.algebra.blas.threading, BlasThreading::its_own);
}

TEST(LinearAlgebra, DistrustNamesTheFirstAndCountsTheOthers) {
  std::vector<LinearAlgebra> ranks(4);
  const std::vector<std::string> hosts{"a", "a", "b", "b"};
  EXPECT_EQ(distrust(ranks, hosts), "");
  ranks[3].complaints = {"x is wrong", "y is wrong"};
  EXPECT_THAT(distrust(ranks, hosts),
              HasSubstr("rank 3 on b computes wrongly (x is wrong and 1 more complaint;"));
  ranks[1].complaints = {"z is wrong"};
  EXPECT_THAT(distrust(ranks, hosts),
              HasSubstr("rank 1 on a computes wrongly, as on 1 other rank (z is wrong;"));
}

TEST(LinearAlgebra, DifferencesNameTwoHostsAndWhatTheyHave) {
  std::vector<LinearAlgebra> ranks(3);
  for (LinearAlgebra& rank : ranks)
    rank.blas = {.flavour = "OpenBLAS", .core = "Zen", .config = "OpenBLAS 0.3.21", .threads = 1};
  const std::vector<std::string> hosts{"a", "a", "b"};
  EXPECT_EQ(differences(ranks, hosts), "");
  ranks[2].blas.core = "Haswell";
  EXPECT_THAT(differences(ranks, hosts),
              HasSubstr("(OpenBLAS 0.3.21 for Zen on a, OpenBLAS 0.3.21 for Haswell on b)"));
  ranks[2].blas = ranks[0].blas;
  ranks[2].blas.config = "OpenBLAS 0.3.20";
  EXPECT_THAT(differences(ranks, hosts), HasSubstr("OpenBLAS 0.3.20 for Zen on b"));
}

TEST(LinearAlgebra, OpenMpThreadsMustBeSwitchedOffOutside) {
  BlasDescription blas{.flavour = "OpenBLAS", .core = {}, .config = {}, .threading = BlasThreading::openmp};
  EXPECT_FALSE(stray_threads(blas, "1"));
  for (const char* setting : {"2", "", "1,1"}) EXPECT_TRUE(stray_threads(blas, setting)) << setting;
  ASSERT_TRUE(stray_threads(blas, nullptr));
  EXPECT_THAT(stray_threads(blas, nullptr)->message, HasSubstr("OMP_NUM_THREADS is not set"));
  for (const auto threading : {BlasThreading::none, BlasThreading::its_own, BlasThreading::unknown}) {
    blas.threading = threading;
    EXPECT_FALSE(stray_threads(blas, nullptr));
  }
}

TEST(LinearAlgebra, OfThisMachineIsSound) {
  const LinearAlgebra algebra = examine_linear_algebra();
  EXPECT_TRUE(algebra.complaints.empty()) << algebra.complaints.front();
  EXPECT_NE(algebra.blas.flavour, "");
  if (algebra.blas.flavour == "OpenBLAS") {
    EXPECT_EQ(algebra.blas.threads, 1);
    EXPECT_NE(algebra.blas.core, "");
  }
}

}  // namespace
}  // namespace stemma
