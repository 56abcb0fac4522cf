// Nothing known is used: the store is empty when it begins, so every number comes from the weights.
#include "pipeline/commands/derive_again.hpp"

#include <filesystem>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/writer_name.hpp"
#include "pipeline/commands/passing_directory.hpp"
#include "pipeline/trusted_machines.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

AuditRequest request_in(const fs::path& directory, const Reproduction& reproduction,
                        const Invocation& invocation, Log& log) {
  Configuration configuration = reproduction.configuration();
  configuration.config.runtime.deadline = "auto";  // what was recorded is over
  std::vector<std::string> notes = configuration.notes;
  log.limit_to(verbosity_of(configuration.config, invocation));
  AuditRequest request = request_of(configuration, invocation, notes);
  for (const std::string& note : notes) log.warn(note);
  reproduction.limit(request);
  request.archive = directory / "again.h5";
  request.store = directory / "store";
  request.scratch = directory;
  return request;
}

}  // namespace

std::optional<Reproduced> derive_again(const World& world, const std::string& archive,
                                       const std::string& inputs, const Invocation& invocation, Log& log) {
  const bool leads = world.all().leads();
  const std::vector<std::string> hosts = world.all().gather(host_name());
  std::optional<PassingDirectory> directory;
  std::optional<Reproduction> reproduction;
  std::optional<AuditRequest> request;
  in_unison(world.all(), "preparing to derive an archive again", [&] {
    if (!leads) return;
    reproduction.emplace(archive, inputs, std::vector<Word>{});
    directory.emplace(scratch_for(hosts), "verify");
    request = request_in(directory->path(), *reproduction, invocation, log);
  });
  audit(world, request ? &*request : nullptr, log);
  std::optional<Reproduced> reproduced;
  in_unison(world.all(), "holding both archives together", [&] {
    if (leads) reproduced = reproduction->hold(request->archive);
  });
  return reproduced;
}

}  // namespace stemma
