// The script adds numbers, and the lines of audit.sbatch that Slurm reads (both change together): how a run
// is launched and started again is the business of audit.sbatch.
#include "pipeline/commands/batch_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/model/architecture.hpp"
#include "io/report/shell_word.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

constexpr double share_of_a_rank = 0.9;  // memory_budget leaves a tenth to the system
constexpr double spare_memory = 1.25;    // over the largest item, where nobody has set a limit
constexpr double mebibytes = 1 << 20;
constexpr double memory_step = 256;                                   // MiB
constexpr double spare_time = 3, time_behind = 600, time_step = 300;  // factor, seconds, seconds

double steps_up(double value, double step) { return step * std::max(1.0, std::ceil(value / step)); }

/// Slurm's D-HH:MM:SS, HH:MM:SS below a day.
std::string slurm_time(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  const std::string days = whole >= 86400 ? fmt::format("{}-", whole / 86400) : "";
  return fmt::format("{}{:02}:{:02}:{:02}", days, whole / 3600 % 24, whole / 60 % 60, whole % 60);
}

/// Comments are one line whatever a stranger's path holds.
std::string comment(const std::string& text) { return "# " + printable(text, 4000) + "\n"; }

}  // namespace

fs::path shipped_scripts() {
  const fs::path beside = shipped_architectures().parent_path() / "slurm";
  std::error_code error;
  return fs::is_directory(beside, error) ? beside : beside.parent_path().parent_path() / "slurm";
}

std::string batch_script(const BatchJob& job, const Plan& plan) {
  const MachineLayout& machine = plan.machine;
  const double asked = job.memory_is_set ? static_cast<double>(plan.memory_per_rank)
                                         : spare_memory * static_cast<double>(plan.peak_memory);
  const double memory = steps_up(asked / share_of_a_rank / mebibytes, memory_step);
  const double time = steps_up(spare_time * plan.uneven_makespan + time_behind, time_step);
  const int per_node = (machine.ranks() + machine.nodes() - 1) / machine.nodes();
  const std::string script = (job.scripts / (job.points > 0 ? "sweep.sbatch" : "audit.sbatch")).string();
  std::vector<std::string> words;
  for (const std::string& word : job.words) words.push_back(shell_word(word));

  std::string text = "#!/usr/bin/env bash\n" + comment("Made by: " + job.command);
  text += comment(fmt::format("Predicted {} on {}, at most {} of memory on a rank; times from the {}.",
                              duration_words(plan.makespan),
                              counted(static_cast<std::uint64_t>(machine.ranks()), "rank"),
                              memory_words(static_cast<double>(plan.peak_memory)), plan.model.name));
  if (!plan.infeasible.empty())
    text += comment(fmt::format("{} fit on no rank with this memory: stemma plan names them.",
                                counted(plan.infeasible.size(), "item")));
  text += fmt::format("#SBATCH --job-name=stemma\n#SBATCH --output={}\n",
                      job.points > 0 ? "%x-%A_%a.out" : "%x-%j.out");
  if (job.points > 0) text += fmt::format("#SBATCH --array=0-{}\n", job.points - 1);
  text += fmt::format(
      "#SBATCH --nodes={}\n#SBATCH --ntasks={}\n#SBATCH --ntasks-per-node={}\n#SBATCH --cpus-per-task=1\n"
      "#SBATCH --hint=nomultithread\n#SBATCH --mem-per-cpu={:.0f}M\n#SBATCH --time={}\n"
      "#SBATCH --signal=B:USR1@180\n#SBATCH --requeue\n#SBATCH --open-mode=append\n",
      machine.nodes(), machine.ranks(), per_node, memory, slurm_time(time));
  return text + fmt::format("\nexec bash {} {} \"$@\"\n", shell_word(script), fmt::join(words, " "));
}

}  // namespace stemma
