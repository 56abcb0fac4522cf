// Who made this run's files, from what, with what, where, and what do they guarantee?
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "analyzers/catalogue.hpp"
#include "io/archive/sha256.hpp"
#include "io/archive/storage_trial.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json tool() {
  std::string commit = commit_text;
  const bool dirty = commit.ends_with('+');
  if (dirty) commit.pop_back();
  return {{"version", version_text},       {"commit", commit},          {"dirty", dirty},
          {"build_type", build_type_text}, {"compiler", compiler_text}, {"flags", flags_text}};
}

/// "glibc 2.36"
std::string libc() {
  std::array<char, 64> name{};
  return confstr(_CS_GNU_LIBC_VERSION, name.data(), name.size()) > 0 ? name.data() : "";
}

/// Of the machine of the first rank.
Json libraries(const Provenance& run) {
  const Host host = run.hosts.empty() ? Host{} : run.hosts.front();
  return {{"hdf5", hdf5_library()},      {"mpi", host.mpi_library}, {"blas", host.blas_config},
          {"blas_core", host.blas_core}, {"elpa", elpa_text},       {"scalapack", scalapack_text},
          {"yaml_cpp", yaml_cpp_text},   {"libc", libc()}};
}

/// Cores that the first rank may use; null where the system does not say.
Json binding() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return nullptr;
  Json list = Json::array();
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(static_cast<std::size_t>(core), &cores)) list.push_back(core);
  return list;
}

Json run_of(const AuditResult& result, const AuditRequest& request) {
  const Provenance& p = result.provenance;
  return {{"uuid", p.uuid},
          {"argv", p.argv},
          {"started", p.started},
          {"ended", utc_now()},
          {"exit_code", static_cast<int>(result.code)},
          {"seed", request.seed},
          {"plan_digest", result.plan.digest},
          {"ranks", p.ranks},
          {"nodes", p.nodes},
          {"cores_of_first_rank", binding()}};
}

Json config_of(const AuditRequest& request) {
  Json overrides = Json::array();
  std::istringstream lines(request.overrides);
  for (std::string line; std::getline(lines, line);) overrides.push_back(line);
  return {{"sha256", sha256_hex(request.original_yaml)},
          {"resolved_sha256", sha256_hex(request.resolved_yaml)},
          {"overrides", overrides}};
}

Json inputs_of(const AuditResult& result) {
  constexpr std::array<const char*, 3> sources = {"none", "hub", "computed"};
  Json inputs = Json::array();
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    Json files = Json::array();
    for (std::size_t i = 0; i < result.files[m].size(); ++i) {
      const SourceFile& file = result.models[m].model->checkpoint.files[i];
      const FileFacts& facts = result.files[m][i];
      files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"mtime_ns", file.mtime_ns}});
      if (facts.sha256_source == FileFacts::Source::none) continue;
      files.back()["sha256"] = facts.sha256;
      files.back()["sha256_source"] = sources.at(static_cast<std::size_t>(facts.sha256_source));
    }
    inputs.push_back({{"id", result.models[m].request.id},
                      {"path", result.models[m].request.path},
                      {"files", files},
                      {"hf_commit", result.models[m].request.revision}});
  }
  return inputs;
}

Json methods_of(const AuditRequest& request) {
  Json methods = Json::object();
  for (const Question& q : request.questions) methods[std::string(q.method().name())] = q.method().version();
  if (request.trace)
    for (const auto& [name, options] : request.trace->tests)
      methods[name] = pair_analyzer_named(name)->version();
  return methods;
}

Json hosts_of(const Provenance& run, bool named) {
  Json hosts = Json::array();
  for (const Host& h : run.hosts) {
    hosts.push_back({{"name", h.name},
                     {"cpu", h.cpu_model},
                     {"blas", h.blas_config},
                     {"blas_core", h.blas_core},
                     {"selftest", h.selftest}});
    if (!named) hosts.back().erase("name");
  }
  return hosts;
}

/// Empty outside of a job.
Json slurm(bool named) {
  constexpr std::array<std::pair<const char*, const char*>, 6> facts = {
      {{"job", "SLURM_JOB_ID"},
       {"array_job", "SLURM_ARRAY_JOB_ID"},
       {"array_task", "SLURM_ARRAY_TASK_ID"},
       {"restart_count", "SLURM_RESTART_COUNT"},
       {"nodelist", "SLURM_JOB_NODELIST"},
       {"partition", "SLURM_JOB_PARTITION"}}};
  Json found = Json::object();
  for (const auto& [name, variable] : facts)
    if (const char* value = std::getenv(variable)) found[name] = value;
  if (!named) found.erase("nodelist");
  return found;
}

/// These variables alone: others may hold secrets. Those of Open MPI hold addresses of machines.
Json environment(bool named) {
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    bool wanted = name == "LOADEDMODULES" || name == "APPTAINER_CONTAINER";
    for (const char* beginning : {"OMP_", "OPENBLAS_", "HDF5_"}) wanted |= name.starts_with(beginning);
    wanted |= named && name.starts_with("OMPI_");
    if (wanted && name.size() < text.size()) found.emplace(name, text.substr(name.size() + 1));
  }
  return found;
}

/// Files of the run that change no more, by name. The log and the status still do.
Json outputs_in(const fs::path& directory) {
  std::map<std::string, Json> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name == "manifest.json" || name == "status.json" || is_temporary(name))
      continue;
    files[name] = {{"file", name}, {"bytes", entry.file_size()}, {"sha256", sha256_of_file(entry.path())}};
  }
  Json outputs = Json::array();
  for (const auto& [name, file] : files) outputs.push_back(file);
  return outputs;
}

}  // namespace

std::string manifest_json(const AuditResult& result, const AuditRequest& request, const fs::path& directory) {
  const bool named = !request.tables.redact;
  return json_text({{"schema", "stemma.manifest/1"},
                    {"tool", tool()},
                    {"libraries", libraries(result.provenance)},
                    {"run", run_of(result, request)},
                    {"config", config_of(request)},
                    {"inputs", inputs_of(result)},
                    {"methods", methods_of(request)},
                    {"machine", {{"hosts", hosts_of(result.provenance, named)}}},
                    {"slurm", slurm(named)},
                    {"environment", environment(named)},
                    {"outputs", outputs_in(directory)},
                    {"guarantees",
                     {{"canonical_exact", result.hashes.exact},
                      {"canonical_all", result.hashes.all},
                      {"read_ratio", json_number(result.provenance.read_ratio)}}}});
}

}  // namespace stemma
