// Which configurations do we hand out to be edited?
#include <array>
#include <utility>

#include "io/config/schema.hpp"

namespace stemma {
namespace {

/// The files in configs/ are these texts; a test keeps them equal.
constexpr std::string_view minimal = R"(# yaml-language-server: $schema=./stemma.schema.json
# $schema: ./stemma.schema.json

# The least that can be said: which models. Every other key has a default; README.md lists them.
schema_version: 1
models:
  - glob: "../tests/data/zoo/*/"
)";

constexpr std::string_view demo = R"(# yaml-language-server: $schema=./stemma.schema.json
# $schema: ./stemma.schema.json

# Three small language models, trained independently, and what was made of them. The sheet holds what their makers
# claim; one claim is false, and the weights tell.
schema_version: 1
name: demo
description: Three small trained language models and what was made of them; one claim is false
models:
  - sheet: ../tests/data/zoo/models.tsv
)";

constexpr std::string_view audit = R"(# yaml-language-server: $schema=./stemma.schema.json
# $schema: ./stemma.schema.json

# A template: uploads that declare a base are held against the weights. Copy it beside your models, then edit.
# Paths of inputs begin at this file; ${NAME} and ~ are expanded.
schema_version: 1
name: qwen_audit                      # names the archive and the run directory
description: Uploads of November that declare a Qwen base
contact: audit@example.org
# output: runs/{name}                 # this one begins at the working directory

models:
  # The uploads and their claims: columns id, path, base, relation, label (stemma schema --example sheet).
  - sheet: models.tsv
  # Possible relatives. They are compared, not judged.
  - {path: reference/Qwen2.5-7B, id: qwen2.5-7b, use: reference}
  - {path: reference/Qwen2.5-7B-Instruct, use: reference, base: qwen2.5-7b, relation: finetune}
  # Independently trained models of the same size: they show which scores unrelated models reach.
  - {glob: "controls/*/", use: background}

analyzers:                            # only those named here run
  content: {}                         # exact copies
  histogram: {}                       # the same values in another order
  intrinsic_fingerprint:              # curves over the layers
    further: true
    twin: true

compare:
  pairs: all                          # or declared, reference, listed (with list: pairs.tsv)
  background: corpus                  # or published, none, or a table of scores

verdicts:
  declared: check
  fdr: 0.01                           # level of false discoveries over all pairs

report:
  labels: id                          # or label

runtime:
  memory_per_rank: 3GiB               # a promise; auto divides the machine's memory by its ranks
  strict: false                       # true: end at the first invalid model
  progress_every: 30s
)";

constexpr std::string_view sweep = R"(# yaml-language-server: $schema=./stemma.schema.json
# $schema: ./stemma.schema.json

# Does tensorguard depend on its noise? The demo family is asked with two kinds of noise, two numbers of draws and two
# seeds: 8 points, one run each. They share one store, so what does not depend on these keys need not be computed again.
#   stemma plan configs/sweep.yaml                 the points, by number
#   stemma run configs/sweep.yaml                  all of them, one after the other; --point 3 runs one
#   sbatch --array=0-7%4 slurm/sweep.sbatch configs/sweep.yaml
schema_version: 1
name: noise_sweep
description: Does tensorguard depend on its noise?
models:
  - sheet: ../tests/data/zoo/models.tsv

analyzers:
  content: {}
  tensorguard: {repaired: false}

trace: {enabled: false}               # weights are read once, and not again in pairs

sweep:
  mode: grid                          # every value with every other; zip: first with first, second with second
  over:                               # the last key is the fastest: points 0 and 1 differ in the seed
    analyzers.tensorguard.mode: [faithful, balanced]
    analyzers.tensorguard.samples: [5, 15]
    seed: [1, 2]
)";

constexpr std::string_view sheet =
    "id\tpath\tbase\trelation\tlabel\tuse\n"
    "acme-7b\tuploads/acme-7b\tqwen2.5-7b\tfinetune\tAcme 7B\tsubject\n"
    "acme-7b-merged\tuploads/acme-7b-merged\tacme-7b,qwen2.5-7b\tmerge\tAcme 7B, merged\tsubject\n"
    "unclaimed-7b\tuploads/unclaimed-7b\t\t\tDeclares nothing\tsubject\n";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> examples = {
    {{"minimal", minimal}, {"demo", demo}, {"audit", audit}, {"sweep", sweep}, {"sheet", sheet}}};

}  // namespace

std::optional<std::string> example(std::string_view name) {
  for (const auto& [candidate, text] : examples) {
    if (candidate == name) return std::string(text);
  }
  return std::nullopt;
}

const std::vector<std::string>& example_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, text] : examples) all.emplace_back(name);
    return all;
  }();
  return names;
}

}  // namespace stemma
