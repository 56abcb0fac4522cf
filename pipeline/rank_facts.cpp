// Linux, the environment and the libraries are asked once; nothing is judged here.
#include "pipeline/rank_facts.hpp"

#include <sched.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "io/model/simd.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/machine.hpp"
#include "pipeline/place.hpp"

namespace stemma {
namespace {

using SortedJson = nlohmann::json;

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

std::string session_directory() {
  for (const char* name : {"PMIX_SERVER_TMPDIR", "TMPDIR"})
    if (const char* directory = std::getenv(name)) return directory;
  return "/tmp";
}

SortedJson as_json(const std::optional<std::uint64_t>& number) {
  return number ? SortedJson(*number) : SortedJson();
}

std::optional<std::uint64_t> number_of(const SortedJson& j) {
  if (j.is_null()) return std::nullopt;
  return j.get<std::uint64_t>();
}

}  // namespace

RankFacts examine_rank(int ranks_here, bool launched, const std::filesystem::path& place) {
  RankFacts facts;
  facts.host = host_name();
  facts.cpu_model = cpu_model();
  facts.simd = simd_targets().front();
  facts.cores = usable_cores();
  if (const char* threads = std::getenv("OMP_NUM_THREADS")) facts.omp_num_threads = threads;
  facts.memory = memory_budget(ranks_here);
  facts.memory_limit = memory_limit(ranks_here);
  try {
    require_blas_memory(0);
    facts.algebra = examine_linear_algebra();
  } catch (const ConfigProblems& problems) {
    facts.no_blas_memory = problems.problems().front().message;
  }
  facts.shared_memory = free_space("/dev/shm");
  if (launched) {
    facts.session = session_directory();
    facts.session_space = free_space(facts.session);
  }
  std::error_code ignored;
  facts.sees_place = std::filesystem::is_directory(place, ignored);
  return facts;
}

std::string encode(const RankFacts& facts) {
  return SortedJson{
      {"host", facts.host},
      {"cpu_model", facts.cpu_model},
      {"simd", facts.simd},
      {"cores", facts.cores},
      {"omp_num_threads", facts.omp_num_threads ? SortedJson(*facts.omp_num_threads) : SortedJson()},
      {"memory", facts.memory},
      {"memory_limit", facts.memory_limit},
      {"no_blas_memory", facts.no_blas_memory},
      {"algebra", encode(facts.algebra)},
      {"shared_memory", as_json(facts.shared_memory)},
      {"session", facts.session},
      {"session_space", as_json(facts.session_space)},
      {"sees_place", facts.sees_place}}
      .dump(-1, ' ', false, SortedJson::error_handler_t::replace);
}

RankFacts decode_rank_facts(const std::string& text) {
  const SortedJson j = SortedJson::parse(text);
  RankFacts facts;
  facts.host = j.at("host");
  facts.cpu_model = j.at("cpu_model");
  facts.simd = j.at("simd");
  facts.cores = j.at("cores").get<std::vector<int>>();
  if (!j.at("omp_num_threads").is_null()) facts.omp_num_threads = j.at("omp_num_threads").get<std::string>();
  facts.memory = j.at("memory");
  facts.memory_limit = j.at("memory_limit");
  facts.no_blas_memory = j.at("no_blas_memory");
  facts.algebra = decode_linear_algebra(j.at("algebra"));
  facts.shared_memory = number_of(j.at("shared_memory"));
  facts.session = j.at("session");
  facts.session_space = number_of(j.at("session_space"));
  facts.sees_place = j.at("sees_place");
  return facts;
}

}  // namespace stemma
