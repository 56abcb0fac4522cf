// One function per topic, each from facts to one judgement.
#include "pipeline/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "pipeline/wording.hpp"

namespace stemma {
namespace {

/// A rank needs about this much before it reads its first tensor.
constexpr std::uint64_t least_memory = 300 * mib;
constexpr std::uint64_t good_memory = 2048 * mib;
constexpr std::uint64_t least_shared = 256 * mib, least_session = 64 * mib;
constexpr std::uint64_t least_disk = 64 * mib, good_disk = 4096 * mib;

std::string where(const Situation& s, std::size_t rank) {
  return fmt::format("rank {} on {}", rank, s.ranks[rank].host);
}

/// What the ranks say, each value once, sorted.
template <class Of>
std::vector<std::string> distinct(const Situation& s, Of of) {
  std::set<std::string> values;
  for (const RankFacts& rank : s.ranks) values.insert(of(rank));
  return {values.begin(), values.end()};
}

std::size_t least(const Situation& s, std::uint64_t (*of)(const RankFacts&)) {
  const auto by = [&](const RankFacts& a, const RankFacts& b) { return of(a) < of(b); };
  return static_cast<std::size_t>(std::min_element(s.ranks.begin(), s.ranks.end(), by) - s.ranks.begin());
}

Check mpi(const Situation& s) {
  const std::size_t hosts = distinct(s, [](const RankFacts& r) { return r.host; }).size();
  if (s.mpi == "none")
    return {"MPI", "not started, one process; mpirun or srun starts several ranks", {}, ""};
  return {"MPI", fmt::format("{}, {} on {}", s.mpi, counted(s.ranks.size(), "rank"), counted(hosts, "host")),
          Health::ok, ""};
}

Check cores(const Situation& s) {
  struct HostCores {
    std::size_t ranks = 0;
    std::set<int> cores;
  };
  std::map<std::string, HostCores> hosts;
  for (const RankFacts& rank : s.ranks) {
    ++hosts[rank.host].ranks;
    hosts[rank.host].cores.insert(rank.cores.begin(), rank.cores.end());
  }
  const auto crowd = [](const HostCores& h) {
    return static_cast<double>(h.ranks) / static_cast<double>(std::max<std::size_t>(h.cores.size(), 1));
  };
  const auto worst = std::max_element(hosts.begin(), hosts.end(), [&](const auto& a, const auto& b) {
    return crowd(a.second) < crowd(b.second);
  });
  const auto& [name, host] = *worst;
  std::string found = fmt::format("{} on {} of {}", counted(host.ranks, "rank"),
                                  counted(host.cores.size(), "usable core"), name);
  if (host.ranks <= host.cores.size()) return {"cores", std::move(found), Health::ok, ""};
  return {"cores", std::move(found), Health::advice,
          fmt::format("Start at most {} there, or give the ranks more cores (mpirun --bind-to none, srun "
                      "--cpus-per-task=1): ranks that share a core wait for each other",
                      counted(host.cores.size(), "rank"))};
}

Check threads(const Situation& s) {
  const auto of = [](const RankFacts& r) {
    return r.omp_num_threads ? "OMP_NUM_THREADS=" + *r.omp_num_threads
                             : std::string("OMP_NUM_THREADS not set");
  };
  Check check{"threads", fmt::format("{}", fmt::join(distinct(s, of), "; ")), Health::ok, ""};
  for (std::size_t i = 0; i < s.ranks.size(); ++i) {
    const RankFacts& rank = s.ranks[i];
    const char* threads = rank.omp_num_threads ? rank.omp_num_threads->c_str() : nullptr;
    if (stray_threads(rank.algebra.blas, threads))
      return {"threads", check.found, Health::problem,
              fmt::format("Set OMP_NUM_THREADS=1 ({} has a BLAS with OpenMP threads that nothing inside the "
                          "program can stop)",
                          where(s, i))};
    if (rank.algebra.blas.threads > 1)
      return {
          "threads",
          fmt::format("{}; BLAS keeps {} threads on {}", check.found, rank.algebra.blas.threads, where(s, i)),
          Health::problem, "Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1"};
    if (threads != nullptr && *rank.omp_num_threads == "1") continue;
    check.health = Health::advice;
    check.change = "Set OMP_NUM_THREADS=1, so that libraries start no threads beside the ranks";
  }
  return check;
}

Check blas(const Situation& s) {
  const auto of = [](const RankFacts& r) {
    const BlasDescription& b = r.algebra.blas;
    if (b.flavour.empty()) return std::string("not asked");
    return fmt::format("{}{}{}", b.build(), b.core.empty() ? "" : ", kernels for ", b.core);
  };
  const std::vector<std::string> kinds = distinct(s, of);
  if (kinds.size() > 1)
    return {"BLAS", fmt::format("{} different ones: {}", kinds.size(), fmt::join(kinds, "; ")),
            Health::advice,
            "Set OPENBLAS_CORETYPE to the oldest of these cores on all ranks, so that singular values do not "
            "depend on which rank computes them"};
  if (s.ranks[0].algebra.blas.flavour == "unknown")
    return {"BLAS", "of an unknown make", Health::advice,
            "Take OpenBLAS, BLIS or MKL: the reference BLAS is ten to fifty times slower"};
  return {"BLAS", kinds[0], Health::ok, ""};
}

Check selftest(const Situation& s) {
  std::vector<LinearAlgebra> algebra;
  std::vector<std::string> hosts;
  double slowest = 0;
  for (std::size_t i = 0; i < s.ranks.size(); ++i) {
    if (const std::string& reason = s.ranks[i].no_blas_memory; !reason.empty()) {
      const std::size_t end = reason.find(". ");  // what is wrong, then what helps
      return {"self-test", fmt::format("not run on {}: {}", where(s, i), reason.substr(0, end)),
              Health::problem, end == std::string::npos ? "Give it more memory" : reason.substr(end + 2)};
    }
    algebra.push_back(s.ranks[i].algebra);
    hosts.push_back(s.ranks[i].host);
    slowest = std::max(slowest, s.ranks[i].algebra.seconds);
  }
  const std::string wrong = distrust(algebra, hosts);
  if (wrong.empty())
    return {"self-test", fmt::format("passed on {}, {:.2f} s", counted(s.ranks.size(), "rank"), slowest),
            Health::ok, ""};
  return {"self-test", wrong.substr(0, wrong.find(", so no number")), Health::problem,
          "Leave that host out, take a newer BLAS, or set OPENBLAS_CORETYPE=Haswell and ask again"};
}

Check simd(const Situation& s) {
  return {"SIMD", fmt::format("{}", fmt::join(distinct(s, [](const RankFacts& r) { return r.simd; }), ", ")),
          Health::ok, ""};
}

Check memory(const Situation& s) {
  const std::size_t poorest = least(s, [](const RankFacts& r) { return r.memory; });
  const RankFacts& rank = s.ranks[poorest];
  const double bytes = static_cast<double>(rank.memory);
  // A spectrum of k columns holds k x k doubles, and its stored bytes beside them.
  const double columns = std::sqrt(std::max(0.0, bytes - static_cast<double>(least_memory)) / 10);
  Check check{"memory",
              fmt::format("{} for each rank, set by {} ({}); room for spectra up to about {} columns",
                          memory_words(bytes), rank.memory_limit, where(s, poorest),
                          with_commas(static_cast<std::uint64_t>(columns) / 100 * 100)),
              Health::ok, ""};
  if (rank.memory >= good_memory) return check;
  check.health = rank.memory < least_memory ? Health::problem : Health::advice;
  check.change =
      "Start fewer ranks on that host, or ask for more memory (srun --mem, a container's limit, ulimit -v)";
  return check;
}

Check solvers(const Situation& s) {
  const auto words = [](const char* name, const std::string& version) {
    return fmt::format("{} {}", name, version.empty() ? "not built in" : version);
  };
  return {"teams", words("ELPA", s.solvers.elpa) + ", " + words("ScaLAPACK", s.solvers.scalapack), Health::ok,
          ""};
}

Check shared_memory(const Situation& s) {
  const auto shm = [](const RankFacts& r) { return r.shared_memory.value_or(0); };
  const auto session = [](const RankFacts& r) { return r.session_space.value_or(~std::uint64_t{0}); };
  const std::size_t first = least(s, shm), second = least(s, session);
  const RankFacts &poorest = s.ranks[first], &fullest = s.ranks[second];
  Check check{"shared memory",
              poorest.shared_memory ? memory_words(static_cast<double>(shm(poorest))) + " free in /dev/shm"
                                    : "no /dev/shm",
              Health::ok, ""};
  if (fullest.session_space)
    check.found +=
        fmt::format(", {} in {}", memory_words(static_cast<double>(session(fullest))), fullest.session);
  if (session(fullest) < least_session)
    return {check.topic, check.found, Health::problem,
            fmt::format("Free space in {} of {}, or set TMPDIR to another directory: MPI keeps files there",
                        fullest.session, fullest.host)};
  if (shm(poorest) < least_shared && s.ranks.size() > 1)
    return {
        check.topic, check.found, Health::advice,
        fmt::format("Make /dev/shm of {} larger (docker --shm-size, mount -o remount,size=...): ranks that "
                    "work on one matrix share memory there",
                    poorest.host)};
  return check;
}

Check place(const Situation& s) {
  const OutputPlace& p = s.place;
  for (std::size_t i = 0; i < s.ranks.size(); ++i)
    if (!s.ranks[i].sees_place)
      return {"directory", fmt::format("{} is no directory for {}", p.path, where(s, i)), Health::problem,
              "Name one that exists, on a file system that all hosts share"};
  Check check{"directory",
              fmt::format("{}: {}, {} free, O_DIRECT {}", p.path,
                          p.filesystem == "local" ? "a local file system" : p.filesystem,
                          bytes_words(static_cast<double>(p.free_bytes)),
                          !p.direct   ? "unknown"
                          : *p.direct ? "offered"
                                      : "not offered"),
              Health::ok, ""};
  if (p.free_bytes < good_disk) {
    check.health = p.free_bytes < least_disk ? Health::problem : Health::advice;
    check.change = "Free some space, or put the output elsewhere: results of a large corpus take gigabytes";
  } else if (p.filesystem == "local" && distinct(s, [](const RankFacts& r) { return r.host; }).size() > 1) {
    check.health = Health::advice;
    check.change =
        "Make sure that models lie where every host reads them: this directory may be each host's own";
  } else if (p.filesystem == "lustre") {
    check.health = Health::advice;
    check.change =
        "Stripe files above 50 GB over at least four targets (lfs setstripe -c 4); others are fine as they "
        "are";
  }
  return check;
}

Check archive(const Situation& s) {
  const OutputPlace& p = s.place;
  const std::string library = "HDF5 " + s.hdf5;
  if (!p.problem.empty())
    return {"archive", fmt::format("{}; a trial in {} ended: {}", library, p.path, p.problem),
            Health::problem, "Name a directory that you may write to: stemma doctor DIRECTORY tries it"};
  if (!p.locks)
    return {"archive", library + ", written and read; files cannot be locked", Health::advice,
            "Set HDF5_USE_FILE_LOCKING=FALSE for other programs that read archives there, such as h5py"};
  return {"archive", library + ", written, renamed, locked and read", Health::ok, ""};
}

}  // namespace

std::string_view name_of(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::advice:
      return "advice";
    case Health::problem:
      break;
  }
  return "problem";
}

std::vector<Check> diagnose(const Situation& s) {
  return {mpi(s),    cores(s),   threads(s),       blas(s),  selftest(s), simd(s),
          memory(s), solvers(s), shared_memory(s), place(s), archive(s)};
}

Health worst_of(const std::vector<Check>& checks) {
  Health worst = Health::ok;
  for (const Check& check : checks) worst = std::max(worst, check.health);
  return worst;
}

}  // namespace stemma
