// stemma doctor: would a run do well here, and if not, what is to be changed?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "analyzers/distributed/unison.hpp"
#include "io/archive/storage_trial.hpp"
#include "io/model/finding.hpp"
#include "io/report/columns.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/diagnosis.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

class DoctorCommand final : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override {
    return "try what a run needs on every rank, and say what to change";
  }
  std::vector<Example> examples() const override {
    return {{"mpirun -n 2 stemma doctor", "libraries, memory, cores and disk as a run finds them"},
            {"stemma doctor models", "about another directory than this one"}};
  }
  bool parallel() const override { return true; }

  void declare(CLI::App& app) override {
    app.add_option("directory", directory_, "where models lie or archives shall be written")
        ->type_name("DIRECTORY")
        ->default_str("the working directory");
    app.footer("Exit code: 0 when a run works here, 2 when one would fail or be wrong.");
  }

  ExitCode execute(const Invocation& invocation, const World& world) override {
    const Communicator& ranks = world.all();
    const int here = ranks_on_this_host(ranks);
    const RankFacts mine = in_unison(ranks, "looking at the machine", [&] {
      return examine_rank(here, invocation.launch.launched, directory_);
    });
    const std::vector<std::string> texts = ranks.gather(encode(mine));
    ExitCode code = ExitCode::done;
    in_unison(ranks, "judging the machine", [&] {
      if (!ranks.leads()) return;
      Situation situation{.place = examine_place(directory_),
                          .mpi = world.library(),
                          .hdf5 = hdf5_library(),
                          .solvers = team_solvers()};
      for (const std::string& text : texts) situation.ranks.push_back(decode_rank_facts(text));
      const std::vector<Check> checks = diagnose(situation);
      invocation.json ? print_json(checks, texts) : print_text(checks);
      if (worst_of(checks) == Health::problem) code = ExitCode::usage;
    });
    return code;
  }

 private:
  /// Collective.
  static int ranks_on_this_host(const Communicator& ranks) {
    std::vector<std::string> hosts = ranks.gather(host_name());
    std::vector<std::byte> bytes;
    for (const std::string& host : hosts) {
      const auto text = std::as_bytes(std::span(host.c_str(), host.size() + 1));
      bytes.insert(bytes.end(), text.begin(), text.end());
    }
    ranks.broadcast(bytes, 0);
    int here = 0;
    const std::string mine = host_name();
    for (std::size_t at = 0; at < bytes.size();) {
      const std::string host(reinterpret_cast<const char*>(bytes.data() + at));
      here += host == mine;
      at += host.size() + 1;
    }
    return here;
  }

  static void print_text(const std::vector<Check>& checks) {
    std::vector<std::vector<std::string>> rows;
    std::size_t advice = 0, problems = 0;
    for (const Check& check : checks) {
      rows.push_back({std::string(name_of(check.health)), check.topic, printable(check.found, 1000)});
      if (!check.change.empty()) rows.push_back({"", "", "-> " + printable(check.change, 1000)});
      advice += check.health == Health::advice;
      problems += check.health == Health::problem;
    }
    fmt::print("stemma {} ({}, {})\n{}", version_text, commit_text, build_text, aligned(rows));
    fmt::print("{}\n", problems != 0 ? fmt::format("A run would fail or be wrong here: {} to mend.",
                                                   counted(problems, "problem"))
                       : advice != 0 ? fmt::format("A run works here, and would do better with {} followed.",
                                                   counted(advice, "piece of advice", "pieces of advice"))
                                     : "A run does well here.");
  }

  static void print_json(const std::vector<Check>& checks, const std::vector<std::string>& ranks) {
    Json document{{"schema", "stemma.doctor/1"},
                  {"stemma", version_text},
                  {"version", version_text},
                  {"commit", commit_text},
                  {"verdict", name_of(worst_of(checks))},
                  {"checks", Json::array()},
                  {"ranks", Json::array()}};
    for (const Check& check : checks)
      document["checks"].push_back({{"topic", check.topic},
                                    {"verdict", name_of(check.health)},
                                    {"found", check.found},
                                    {"change", check.change}});
    for (const std::string& text : ranks) {
      Json facts = Json::parse(text);
      facts["algebra"] = Json::parse(facts["algebra"].get<std::string>());
      document["ranks"].push_back(std::move(facts));
    }
    fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
  }

  std::string directory_ = ".";
};

}  // namespace

std::unique_ptr<Command> doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace stemma
