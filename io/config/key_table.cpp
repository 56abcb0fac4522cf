// Every key once: type, meaning, bounds, who acts on it, and how it reaches RunConfig.
#include "io/config/key_table.hpp"

#include <algorithm>
#include <utility>

#include "io/config/compare_keys.hpp"
#include "io/config/key_binding.hpp"
#include "io/config/report_keys.hpp"
#include "io/config/verdict_keys.hpp"

namespace stemma {
namespace {

std::vector<Key> make_table() {
  using T = KeyType;
  const auto analyzers = STEMMA_MEMBER(analyzers);
  const auto traces = STEMMA_MEMBER(trace.tests);
  std::vector<Key> table;
  const auto add = [&](Key key) { table.push_back(std::move(key)); };

  add(bound({.path = "schema_version",
             .type = T::integer,
             .meaning = "Version of these keys.",
             .consumer = "configuration reader",
             .lowest = 1,
             .highest = 1,
             .required = true,
             .fixed = "it says how the whole file is read"},
            STEMMA_MEMBER(schema_version)));
  add(bound({.path = "name",
             .type = T::identifier,
             .meaning = "Names the archive and the run directory. Letters, digits and ._- only.",
             .consumer = "archive, run directory",
             .computed_default = "the file's name without its extension",
             .fixed = "every point bears the name of the sweep"},
            STEMMA_MEMBER(name)));
  add(bound({.path = "description",
             .type = T::text,
             .meaning = "What this run is about, in one sentence.",
             .consumer = "archive, report",
             .changes_results = false},
            STEMMA_MEMBER(description)));
  add(bound({.path = "contact",
             .type = T::text,
             .meaning = "Whom to ask about this run.",
             .consumer = "archive, report",
             .changes_results = false},
            STEMMA_MEMBER(contact)));
  add(bound({.path = "output",
             .type = T::output_path,
             .meaning = "Run directory, relative to the working directory. {name} stands for the name.",
             .consumer = "run directory",
             .changes_results = false,
             .fixed = "every point has a directory of its own below it"},
            STEMMA_MEMBER(output)));
  add(bound({.path = "seed",
             .type = T::integer,
             .meaning = "The random numbers of tensorguard are drawn from it.",
             .consumer = "analyzers/tensorguard"},
            STEMMA_MEMBER(seed)));
  add(bound(
      {.path = "architectures",
       .type = T::input_paths,
       .meaning = "Further directories of architecture tables, beside those that come with the program.",
       .consumer = "survey"},
      STEMMA_MEMBER(architectures)));
  add({.path = "models",
       .type = T::models,
       .meaning = "The models, as locations or as mappings with one of path, glob and sheet. See below.",
       .consumer = "survey",
       .required = true,
       .fixed = "all points ask the same models"});

  add(questions({.path = "analyzers",
                 .meaning = "What is measured of every model. The analyzers named here run.",
                 .consumer = "work",
                 .computed_default = "all of them"},
                analyzers));
  add(question({.path = "analyzers.content", .meaning = "Hash of every tensor: exact copies."}, analyzers));
  add(option({.path = "analyzers.content.sha256",
              .type = T::boolean,
              .meaning = "Also SHA-256 of every file, as sha256sum prints it; reads each file once more.",
              .consumer = "analyzers/content"},
             analyzers));
  add(question({.path = "analyzers.histogram",
                .meaning = "Exact histogram of every tensor and the moments that follow from it."},
               analyzers));
  add(question(
      {.path = "analyzers.intrinsic_fingerprint",
       .meaning = "Standard deviations of the attention matrices, layer by layer (arXiv 2507.03014)."},
      analyzers));
  add(option({.path = "analyzers.intrinsic_fingerprint.further",
              .type = T::boolean,
              .meaning = "Also curves of biases, norms, feed-forward matrices and experts.",
              .consumer = "analyzers/intrinsic_fingerprint"},
             analyzers));
  add(option({.path = "analyzers.intrinsic_fingerprint.twin",
              .type = T::boolean,
              .meaning = "Also twin curves that no exact re-parameterisation can change.",
              .consumer = "analyzers/intrinsic_fingerprint"},
             analyzers));

  add(question(
      {.path = "analyzers.neuron_match",
       .meaning = "Neurons as anchor tokens see them, so that models can be matched neuron by neuron."},
      analyzers));

  add(question(
      {.path = "analyzers.spectrum",
       .meaning = "All singular values of every matrix, with error bounds, and what they say of its shape."},
      analyzers));
  add(option({.path = "analyzers.spectrum.crosscheck_every",
              .type = T::integer,
              .meaning = "One of so many matrices, chosen by content, is also decomposed by dgesdd; 0: none.",
              .consumer = "analyzers/spectrum",
              .lowest = 0,
              .highest = 1000000},
             analyzers));
  add(option({.path = "analyzers.spectrum.largest",
              .type = T::integer,
              .meaning = "Matrices whose shorter side is longer than this get no spectrum.",
              .consumer = "analyzers/spectrum",
              .lowest = 1,
              .highest = 32768,
              .reason = "LAPACK counts elements in 32-bit integers"},
             analyzers));
  add(option(
      {.path = "analyzers.spectrum.refine",
       .type = T::boolean,
       .meaning =
           "Where values lie below tau, keep those of dgesdd, which resolves smaller ones (up to 2,048).",
       .consumer = "analyzers/spectrum"},
      analyzers));

  add(question(
      {.path = "analyzers.tensorguard",
       .meaning = "Gradient responses of ten matrices (arXiv 2506.01631), beside those of random weights."},
      analyzers));
  add(option({.path = "analyzers.tensorguard.max_layer",
              .type = T::integer,
              .meaning = "Tensors of later layers are left out.",
              .consumer = "analyzers/tensorguard",
              .lowest = 0,
              .highest = 10000},
             analyzers));
  add(option(
      {.path = "analyzers.tensorguard.mode",
       .type = T::choice,
       .meaning = "Kinds of noise drawn at random for each matrix, as published, or each equally often.",
       .consumer = "analyzers/tensorguard",
       .choices = {"faithful", "balanced"}},
      analyzers));
  add(option(
      {.path = "analyzers.tensorguard.repaired",
       .type = T::boolean,
       .meaning = "Also what of the response of every projection, layer by layer, depends on its weights.",
       .consumer = "analyzers/tensorguard"},
      analyzers));
  add(option({.path = "analyzers.tensorguard.samples",
              .type = T::integer,
              .meaning = "Draws of noise for each matrix.",
              .consumer = "analyzers/tensorguard",
              .lowest = 1,
              .highest = 1000},
             analyzers));
  add(option({.path = "analyzers.tensorguard.targets",
              .type = T::integer,
              .meaning = "Matrices that are looked at.",
              .consumer = "analyzers/tensorguard",
              .lowest = 1,
              .highest = 1000},
             analyzers));

  for (Key& key : compare_keys()) add(std::move(key));

  add({.path = "trace", .meaning = "The weights of possible relatives, read once more in pairs."});
  add(bound({.path = "trace.enabled",
             .type = T::boolean,
             .meaning = "Whether weights are read again for pairs.",
             .consumer = "trace"},
            STEMMA_MEMBER(trace.enabled)));
  add(bound(
      {.path = "trace.pairs",
       .type = T::choice,
       .meaning =
           "Which pairs: those declared, with equal or permuted tensors, or with curves that agree; only "
           "declared ones; those of a list; all.",
       .consumer = "trace",
       .choices = {"candidates", "declared", "listed", "all"}},
      STEMMA_MEMBER(trace.pairs)));
  add(bound({.path = "trace.list",
             .type = T::input_path,
             .meaning = "TSV with columns a and b of model ids; belongs to pairs: listed.",
             .consumer = "trace",
             .computed_default = "none"},
            STEMMA_MEMBER(trace.list)));
  add(bound({.path = "trace.max_pairs",
             .type = T::integer,
             .meaning = "At most so many pairs: declared ones first, then those that share most.",
             .consumer = "trace",
             .lowest = 0,
             .highest = 10'000'000},
            STEMMA_MEMBER(trace.max_pairs)));
  add(questions({.path = "trace.tests", .meaning = "Tests of weights in pairs.", .consumer = "trace"},
                traces));
  add(question({.path = "trace.tests.origin_tracer",
                .meaning = "Rank of the difference of two models (arXiv 2505.19466)."},
               traces));
  add(option({.path = "trace.tests.origin_tracer.max_rank",
              .type = T::integer,
              .meaning = "Ranks beyond it are not looked for.",
              .consumer = "analyzers/origin_tracer",
              .lowest = 1,
              .highest = 4096},
             traces));

  for (Key& key : verdict_keys()) add(std::move(key));
  for (Key& key : report_keys()) add(std::move(key));

  add({.path = "runtime",
       .meaning = "How the run behaves. Ranks and threads come from the launcher.",
       .changes_results = false});
  add(bound({.path = "runtime.memory_per_rank",
             .type = T::size_or_auto,
             .meaning = "What one rank may use; auto divides the machine's memory by its ranks.",
             .consumer = "plan",
             .lowest = 512LL << 20,
             .changes_results = false},
            STEMMA_MEMBER(runtime.memory_per_rank)));
  add(bound({.path = "runtime.store",
             .type = T::output_path,
             .meaning = "Where results wait for the archive and for later runs. Runs and users may share it.",
             .consumer = "work",
             .changes_results = false,
             .computed_default = "store in the run directory",
             .fixed = "all points share one store"},
            STEMMA_MEMBER(runtime.store)));
  add(bound(
      {.path = "runtime.rehash",
       .type = T::boolean,
       .meaning = "Read all weights again, even of files that have not changed since their results were "
                  "stored. Where the bytes are those of then, long work is not repeated.",
       .consumer = "work",
       .changes_results = false},
      STEMMA_MEMBER(runtime.rehash)));
  add(bound({.path = "runtime.strict",
             .type = T::boolean,
             .meaning = "End with exit code 3 at the first invalid model, before weights are read.",
             .consumer = "survey",
             .changes_results = false},
            STEMMA_MEMBER(runtime.strict)));
  add(bound(
      {.path = "runtime.reproducible",
       .type = T::boolean,
       .meaning = "Spectra equal bit for bit on any number of ranks: the size of a matrix alone decides on "
                  "how many ranks it is decomposed.",
       .consumer = "plan"},
      STEMMA_MEMBER(runtime.reproducible)));
  add(bound({.path = "runtime.coordinator",
             .type = T::choice,
             .meaning = "Whether rank 0 also computes; auto decides by the number of ranks.",
             .consumer = "coordinator",
             .choices = {"auto", "shared", "dedicated"},
             .changes_results = false},
            STEMMA_MEMBER(runtime.coordinator)));
  add(bound(
      {.path = "runtime.calibration",
       .type = T::word_or_path,
       .meaning = "Rates behind predicted times: measured (by auto, when the run should take longer than a "
                  "minute), of the built-in reference, or a calibration.json.",
       .consumer = "plan",
       .choices = {"auto", "measure", "reference"},
       .changes_results = false},
      STEMMA_MEMBER(runtime.calibration)));
  add({.path = "runtime.io", .meaning = "How weights are read.", .changes_results = false});
  add(bound({.path = "runtime.io.direct",
             .type = T::choice,
             .meaning = "Read past the page cache (O_DIRECT): on Lustre; wherever it is offered; never.",
             .consumer = "io/formats",
             .choices = {"auto", "always", "never"},
             .changes_results = false},
            STEMMA_MEMBER(runtime.io.direct)));
  add(bound({.path = "runtime.progress",
             .type = T::choice,
             .meaning = "auto looks whether stderr is a terminal.",
             .consumer = "progress",
             .choices = {"auto", "bar", "lines", "none"},
             .changes_results = false},
            STEMMA_MEMBER(runtime.progress)));
  add(bound({.path = "runtime.progress_every",
             .type = T::duration,
             .meaning = "Time between two lines of progress.",
             .consumer = "progress",
             .lowest = 1,
             .highest = 60,
             .changes_results = false},
            STEMMA_MEMBER(runtime.progress_every)));
  add(bound({.path = "runtime.log_level",
             .type = T::choice,
             .meaning = "How much the log says.",
             .consumer = "log",
             .choices = {"debug", "info", "warn"},
             .changes_results = false},
            STEMMA_MEMBER(runtime.log_level)));
  add(bound({.path = "runtime.deadline",
             .type = T::moment,
             .meaning = "When all work has to have ended, as +4h, @1795228378 (Unix seconds) or "
                        "2026-11-21T18:00:00Z. The end of the Slurm job counts too, where it is known; with "
                        "none neither counts.",
             .consumer = "coordinator",
             .changes_results = false},
            STEMMA_MEMBER(runtime.deadline)));
  add(bound({.path = "runtime.deadline_margin",
             .type = T::duration,
             .meaning = "No work is to end later than so long before the deadline.",
             .consumer = "coordinator",
             .lowest = 1,
             .highest = 3600,
             .changes_results = false},
            STEMMA_MEMBER(runtime.deadline_margin)));

  add({.path = "sweep",
       .meaning = "Several runs that differ in some keys: the points. They share all others, and the store.",
       .changes_results = false,
       .fixed = "a sweep holds no other"});
  add({.path = "sweep.over",
       .type = T::axes,
       .meaning = "Dotted keys, each with the list of its values. See below.",
       .consumer = "run",
       .changes_results = false,
       .fixed = "a sweep holds no other"});
  add({.path = "sweep.mode",
       .type = T::choice,
       .meaning = "Every value with every other, the last key fastest; or the first of each, the second, ...",
       .consumer = "run",
       .choices = {"grid", "zip"},
       .changes_results = false,
       .computed_default = "grid",
       .fixed = "a sweep holds no other"});
  return table;
}

}  // namespace

const std::vector<Key>& key_table() {
  static const std::vector<Key> table = make_table();
  return table;
}

std::vector<const Key*> keys_below(std::string_view section) {
  std::vector<const Key*> keys;
  for (const Key& key : key_table()) {
    const std::size_t dot = key.path.rfind('.');
    const std::string_view parent =
        dot == std::string::npos ? std::string_view{} : std::string_view(key.path).substr(0, dot);
    if (parent == section) keys.push_back(&key);
  }
  return keys;
}

bool may_vary(const Key& key) {
  return key.fixed.empty() && key.set && key.type != KeyType::questions && key.type != KeyType::question;
}

std::string_view last_step(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace stemma
