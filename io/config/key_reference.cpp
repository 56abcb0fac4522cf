// How is the table of keys shown to people?
#include <fmt/format.h>

#include <algorithm>

#include "io/config/key_table.hpp"
#include "io/config/schema.hpp"
#include "io/config/sheet.hpp"

namespace stemma {
namespace {

std::string type_of(const Key& key) {
  const std::string choices = fmt::format("{}", fmt::join(key.choices, ", "));
  switch (key.type) {
    case KeyType::section:
    case KeyType::questions:
      return "mapping";
    case KeyType::question:
      return "mapping of options";
    case KeyType::text:
      return "text";
    case KeyType::identifier:
      return "text, " + std::string(identifier_pattern);
    case KeyType::integer:
      return key.highest == INT64_MAX ? fmt::format("integer, {}..2^63-1", key.lowest)
                                      : fmt::format("integer, {}..{}", key.lowest, key.highest);
    case KeyType::real:
      return fmt::format("real, {}..{}", key.lowest_real, key.highest_real);
    case KeyType::boolean:
      return "true, false";
    case KeyType::choice:
      return choices;
    case KeyType::size:
      return fmt::format("size, {}..{}", printed_size(static_cast<std::uint64_t>(key.lowest)),
                         printed_size(static_cast<std::uint64_t>(key.highest)));
    case KeyType::size_or_auto:
      return fmt::format("auto or size, at least {}", printed_size(static_cast<std::uint64_t>(key.lowest)));
    case KeyType::duration:
      return fmt::format("duration, {}..{}", printed_duration(key.lowest), printed_duration(key.highest));
    case KeyType::moment:
      return "moment";
    case KeyType::output_path:
    case KeyType::input_path:
      return "path";
    case KeyType::texts:
      return "text or list of texts";
    case KeyType::input_paths:
      return "path or list of paths";
    case KeyType::word_or_path:
      return choices + ", or a path";
    case KeyType::models:
      return "list";
    case KeyType::axes:
      return "mapping of lists";
  }
  return "";
}

std::string default_text(const Key& key) {
  if (key.required) return "required";
  return key.computed_default.empty() ? printed_default(key) : key.computed_default;
}

std::string in_cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return text;
}

constexpr std::string_view values_section = R"(
## Values

* Texts are taken literally. Quote what other YAML readers would turn into something else: `"1e5"`, `"no"`.
* Booleans are `true` and `false`, integers are decimal digits, reals are JSON numbers (`0.01`, `1e-6`).
* A size is a number of bytes, or a number with B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
* A duration is a number with s, min, h or d.
* In paths a leading `~` and `${NAME}` are expanded. Inputs begin at the file that names them, outputs at the working
  directory.
* Anchors, aliases, tags, merge keys, duplicate keys and second documents are refused, because YAML readers disagree
  about them or hide what a file says. A file has at most 1 MiB.
* Arguments `key=value`, `key+=value` (append to a list) and `~key` (remove) change the file from left to right:
  `compare.pairs=declared`, `models[0].id=mine`. `STEMMA_ARCHITECTURES` (directories separated by colons),
  `STEMMA_LOG` and `STEMMA_STORE` stand between the file and the arguments.
)";

constexpr std::string_view sweeps_section = R"(
## Sweeps

`sweep.over` maps dotted keys to lists of values: `seed: [1, 2]`, `analyzers.tensorguard.samples: [5, 15]`. With `mode: grid`
every value meets every other and the last key is the fastest; with `mode: zip` the lists are equally long and the first
values make the first point. There are at most 10,000 points, numbered from 0. Every value is checked as an override would
be. These keys may not vary: )";

constexpr std::string_view sweep_directories = R"(.

A point is a run in `OUTPUT/pKK-DIGEST`: its number, and eight digits of a hash of everything that decides its results, so
that points that are renumbered by a new value never mix with old ones. All points share one store, `OUTPUT/store` unless
`runtime.store` names another. `OUTPUT/sweep.tsv` has a row for every point: point, directory, the varied keys, digest,
exit_code, started, seconds, canonical_exact. The last four are empty until it has run. `stemma run CONFIG --point 3` runs
one point, without `--point` all of them run one after the other, and `slurm/sweep.sbatch` makes each a task of a job array.
)";

constexpr std::string_view models_section = R"(
## Models

An entry of `models` is a location, or a mapping with exactly one of

* `path`: a directory, a file or an index of one model,
* `glob`: models by `*`, `?` and `[..]`, sorted bytewise; `**` is not read, and no match is an error,
* `sheet`: a TSV with one model per row,

and optionally `id`, `label` (not with `glob` and `sheet`), `base` (an id or a list), `relation`, `family`, `use`,
`revision`, `variant`, `architecture`. With `sheet` these hold for rows that leave them empty. Without `id` a model is
named by the last part of its path, with `-2`, `-3`, ... where that name is taken. Ids have at most 128 letters, digits
and `._+-`, and begin with a letter or digit.

## Sheets

UTF-8, a header line, cells separated by tabs. Empty cells are absent; columns that are not listed here are kept as text.

| column | meaning |
|---|---|
)";

}  // namespace

std::string markdown() {
  std::string out =
      "# Run configurations\n\n"
      "This page is generated from the table of keys in io/config/key_table.cpp, like `stemma.schema.json`, "
      "which gives\n"
      "completion and checks in editors. `minimal.yaml`, `demo.yaml`, `audit.yaml` and `sweep.yaml` are "
      "complete examples.\n\n"
      "## Keys\n\n"
      "| key | type | default | meaning | used by |\n|---|---|---|---|---|\n";
  for (const Key& key : key_table()) {
    const std::string fallback = default_text(key);
    const bool literal = !key.required && key.computed_default.empty() && !fallback.empty();
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.path, in_cell(type_of(key)),
                       literal ? "`" + fallback + "`" : fallback, in_cell(key.meaning), key.consumer);
  }
  out += values_section;
  std::vector<std::string> fixed;
  for (const Key& key : key_table())
    if (!key.fixed.empty() && !key.path.starts_with("sweep")) fixed.push_back("`" + key.path + "`");
  out += fmt::format("{}{}{}", sweeps_section, fmt::join(fixed, ", "), sweep_directories);
  out += models_section;
  for (const SheetColumn& column : sheet_columns())
    out += fmt::format("| `{}` | {} |\n", column.name, column.meaning);
  return out;
}

std::string help_text() {
  std::size_t width = 0;
  for (const Key& key : key_table()) width = std::max(width, key.path.size());
  std::string out;
  for (const Key& key : key_table()) {
    const std::string fallback = default_text(key);
    out +=
        fmt::format("{:<{}}  {}{}\n{:<{}}  {}\n", key.path, width, type_of(key),
                    fallback.empty() || key.required ? (key.required ? " (required)" : "") : " = " + fallback,
                    "", width, key.meaning);
  }
  return out;
}

}  // namespace stemma
