// Verbs and options come from the table behind --help; what a whole run has to do with the system is written
// here.
#include "pipeline/commands/manual_page.hpp"

#include <fmt/format.h>

#include <array>

#include "pipeline/commands/command.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

/// A definition: what stands in bold, and what it means.
struct Entry {
  std::string_view term, meaning;
};

constexpr std::array files{
    Entry{"RUN/NAME.h5", "the archive: every feature of every model, readable with any HDF5 library"},
    Entry{"RUN/report.html", "the page that stemma report makes of it; it needs no network"},
    Entry{"RUN/pairs.tsv, evidence.tsv", "one row for each pair, and for each piece of evidence about it"},
    Entry{"RUN/verdicts.tsv, verdicts.json", "what the weights say about each declared parent"},
    Entry{"RUN/families.tsv", "where tensorguard puts every model, and where its control does"},
    Entry{"RUN/models.tsv, features.tsv, findings.tsv, failures.tsv",
          "what was read, what was odd, and what could not be done and why"},
    Entry{"RUN/config.yaml, config.resolved.yaml, overrides.txt",
          "the configuration as it was given, and with every default"},
    Entry{"RUN/manifest.json", "who made this, from what, how"},
    Entry{"RUN/status.json", "how far a run is, replaced every few seconds; its exit code at the end"},
    Entry{"RUN/log/run.log", "the log of all attempts"},
    Entry{"RUN/store/", "results that wait for the archive; the same command goes on from them"},
};

constexpr std::array variables{
    Entry{"STEMMA_ARCHITECTURES", "directories of further architecture tables, separated by colons"},
    Entry{"STEMMA_STORE", "where results are kept and looked for, when runtime.store is not set"},
    Entry{"STEMMA_LOG", "debug, info or warn, when runtime.log_level is not set"},
    Entry{"STEMMA_SHARE", "directory of the shipped architecture tables, instead of the installed one"},
    Entry{"STEMMA, STEMMA_MACHINE, STEMMA_LAUNCHER, STEMMA_SLURM",
          "of the batch scripts: the program, the settings of a machine, what starts ranks, where the "
          "scripts lie"},
    Entry{"SLURM_JOB_END_TIME", "when the job ends, in Unix seconds; nothing is begun that would end later"},
    Entry{"OMP_NUM_THREADS", "has to be 1: one rank uses one thread"},
};

constexpr std::array exit_codes{
    Entry{"0", "done, also when there was nothing to do"},
    Entry{"2", "command line, configuration, a place that cannot be written, disk full"},
    Entry{"3", "an input is invalid (--strict), or what was verified or reproduced differs"},
    Entry{"4", "finished; models or items failed and are listed"},
    Entry{"70", "an error of the program or of MPI"},
    Entry{"85", "ended early with its results safe; the same command goes on where it was"},
    Entry{"141", "nobody reads the output any more"},
};

constexpr std::array signals{
    Entry{"USR1", "end within 170 seconds: finish what fits, keep everything, exit with 85"},
    Entry{"TERM, INT, HUP", "end at once; items in flight are given up, everything finished is kept"},
    Entry{"USR2", "print a line of progress"},
    Entry{"KILL", "loses what was in flight; the same command goes on where it was"},
};

/// The verbs whose first example is shown.
constexpr std::array<std::string_view, 5> shown_verbs{"schema", "plan", "run", "compare", "verify"};

/// Plain text for roff: nothing in it is a request, an escape or a typographer's sign.
std::string plain(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '"':
        out += "\\(dq";
        break;
      case '\n':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }

/// A tagged paragraph.
std::string tagged(const std::string& term, std::string_view meaning) {
  return fmt::format(".TP\n{}\n{}\n", term, plain(meaning));
}

/// "-o, --output FILE" with the names in bold and the value in italics.
std::string term_of(const OptionRow& row) {
  std::vector<std::string> names;
  for (const std::string& name : row.names) names.push_back(bold(name));
  const std::string value = row.value.empty() ? "" : fmt::format("\\fI{}\\fR", plain(row.value));
  return fmt::format("{}{}{}", fmt::join(names, ", "), names.empty() || value.empty() ? "" : " ", value);
}

std::string options_of(const VerbRows& rows) {
  std::string text;
  for (const auto* list : {&rows.arguments, &rows.options})
    for (const OptionRow& row : *list) text += tagged(term_of(row), row.meaning);
  return text;
}

std::string section(std::string_view title, std::span<const Entry> entries) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const Entry& entry : entries) text += tagged(bold(entry.term), entry.meaning);
  return text;
}

std::string examples() {
  std::string text = ".SH EXAMPLES\n";
  const auto commands = all_commands();
  for (const std::string_view verb : shown_verbs)
    for (const auto& command : commands) {
      if (command->name() != verb) continue;
      const Example example = command->examples().front();
      text += tagged(bold(example.line), example.meaning);
    }
  return text;
}

}  // namespace

std::string manual_page(std::span<const VerbRows> table) {
  const VerbRows& program = table.front();
  std::string page =
      fmt::format(".TH STEMMA 1 \"{}\" \"stemma {}\" \"User Commands\"\n", date_text, plain(version_text));
  page += ".SH NAME\nstemma \\- who descends from whom, from the weights of language models\n";
  page += ".SH SYNOPSIS\n.B stemma\n.I VERB\n.RI [ ARGUMENT... ]\n.RI [ OPTION... ]\n.RI [ key=value... ]\n";
  page +=
      fmt::format(".SH DESCRIPTION\n{}\n.PP\n{}\n", plain(program.summary),
                  plain("Every score stands beside its null, its background and a control, and where a "
                        "method cannot decide, it abstains. Findings never change the exit code. Results "
                        "go to standard output, everything else to standard error. Verbs that read weights "
                        "run on any number of ranks, started by mpirun or srun; the others need no MPI."));
  page += ".SH VERBS\n";
  for (const VerbRows& verb : table.subspan(1)) {
    const bool asks = verb.summary.ends_with('?');
    page += fmt::format(".SS {}\n{}{}\n{}", plain(verb.usage), plain(verb.summary), asks ? "" : ".",
                        options_of(verb));
    if (!verb.footer.empty()) page += fmt::format(".PP\n{}\n", plain(verb.footer));
  }
  page += ".SH OPTIONS OF EVERY VERB\n" + options_of(program);
  page += section("FILES", files);
  page += section("ENVIRONMENT", variables);
  page += section("EXIT STATUS", exit_codes);
  page += section("SIGNALS", signals);
  page += examples();
  return page + ".SH SEE ALSO\n.BR mpirun (1),\n.BR srun (1),\n.BR sbatch (1)\n";
}

}  // namespace stemma
