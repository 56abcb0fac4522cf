// stemma fingerprint: models into one archive, without a configuration.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/seal.hpp"
#include "io/archive/storage_error.hpp"
#include "pipeline/audit.hpp"
#include "pipeline/commands/adhoc.hpp"
#include "pipeline/commands/log_copy.hpp"
#include "pipeline/commands/pick.hpp"
#include "pipeline/commands/receipt.hpp"
#include "pipeline/greeting.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

/// The archive to write, in a directory that exists from now on.
std::filesystem::path place_of(const std::string& output) {
  if (output.empty()) throw UsageError("--output is empty. Name the archive to write");
  const std::filesystem::path archive = std::filesystem::absolute(output);
  std::error_code error;
  if (std::filesystem::is_directory(archive, error))
    throw UsageError(fmt::format("--output {} is a directory. Name a file in it", printable(output)));
  if (std::filesystem::exists(archive, error) && !has_hdf5_signature(archive))
    throw UsageError(fmt::format("--output {} is there and no archive. Name another file, or remove it",
                                 printable(output)));
  std::filesystem::create_directories(archive.parent_path(), error);
  if (error) throw StorageError(archive.parent_path(), "", "create", error.value());
  return archive;
}

class FingerprintCommand final : public Command {
 public:
  std::string_view name() const override { return "fingerprint"; }
  std::string_view summary() const override {
    return "read models and keep what comparisons need in one archive";
  }
  std::vector<Example> examples() const override {
    return {{"stemma fingerprint models/* -o family.h5", "directories or files"},
            {"mpirun -n 8 stemma fingerprint --sheet models.tsv -o family.h5", "many models, on eight ranks"},
            {"stemma fingerprint --sheet models.tsv --pick some.tsv:id", "a subset, by id"},
            {"ls -d models/* | stemma fingerprint --from-file -", "as many as another program names"}};
  }
  bool parallel() const override { return true; }
  bool heeds_signals() const override { return true; }

  void declare(CLI::App& app) override {
    app.add_option("models", arguments_, "model directories or files, and overrides: key=value")
        ->type_name("MODEL... [key=value...]");
    app.add_option("--sheet", sheet_, "a table of models; stemma schema --example sheet shows one")
        ->type_name("FILE");
    declare_list(app, list_);
    declare_pick(app, pick_);
    app.add_option("-o,--output", output_, "archive to write")
        ->type_name("FILE")
        ->default_str("fingerprints.h5");
    log_copy_.declare(app);
    receipt_.declare(app);
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const bool leads = world.all().leads();
    Log log(leads);
    std::optional<AuditRequest> request;
    in_unison(world.all(), "reading the command line", [&] {
      if (!leads) return;
      receipt_.begin();
      const Configuration configuration =
          adhoc_configuration(words_of(arguments_, list_), sheet_, "fingerprints");
      const std::filesystem::path archive = place_of(output_);
      std::vector<std::string> notes = configuration.notes;
      log.limit_to(verbosity_of(configuration.config, invocation));
      log_copy_.begin(log);
      say_program(log, invocation.command_line(), world);
      request = request_of(configuration, invocation, notes);
      for (const std::string& note : notes) log.warn(note);
      keep_picked(pick_, request->models);
      request->comparison.reset();
      request->trace.reset();
      request->archive = archive;
      request->store = request->scratch = archive.parent_path();
      if (const std::string& store = configuration.config.runtime.store; !store.empty()) {
        request->store = store;
        request->leftovers = Leftovers::kept;
      }
    });
    const std::optional<AuditResult> result = audit(world, request ? &*request : nullptr, log);
    if (!result) return ExitCode::done;
    receipt_.add(result->provenance.uuid);
    if (invocation.json) {
      const nlohmann::ordered_json document{
          {"schema", "stemma.fingerprint/1"},     {"stemma", version_text},
          {"archive", request->archive.string()}, {"models", result->models.size()},
          {"failures", result->failures.size()},  {"canonical_exact", result->hashes.exact},
          {"canonical_all", result->hashes.all}};
      fmt::print("{}\n", document.dump(2));
    } else {
      fmt::print("{}\n", printable(request->archive.string(), 4000));
      for (const Failure& failure : result->failures)
        if (failure.stage != Stage::survey)  // the survey has said it
          fmt::print(stderr, "{}: {}: {}\n", printable(failure.model), printable(failure.item),
                     printable(failure.sentence, 2000));
    }
    return result->code;
  }

  void ended(ExitCode code) noexcept override { receipt_.write(code); }

 private:
  std::vector<std::string> arguments_;
  std::string sheet_, list_, pick_, output_ = "fingerprints.h5";
  LogCopy log_copy_;
  Receipt receipt_;  ///< of rank 0
};

}  // namespace

std::unique_ptr<Command> fingerprint_command() { return std::make_unique<FingerprintCommand>(); }

}  // namespace stemma
