// The table of everything that is in an archive, version 1.0.
#include "io/archive/layout.hpp"

#include "io/archive/fingerprint.hpp"

namespace stemma::layout {
namespace {

using enum h5::Type;
using Dims = std::vector<std::string>;
constexpr Enters exact = Enters::exact;
constexpr Enters feature = Enters::feature;
constexpr Enters record = Enters::record;

Column text(std::string name, Dims dims, Enters enters, std::string long_name) {
  return {.name = std::move(name),
          .type = str,
          .dims = std::move(dims),
          .enters = enters,
          .long_name = std::move(long_name),
          .units = ""};
}

Column number(std::string name, h5::Type type, Dims dims, Enters enters, std::string long_name,
              std::string units = "1") {
  return {.name = std::move(name),
          .type = type,
          .dims = std::move(dims),
          .enters = enters,
          .long_name = std::move(long_name),
          .units = std::move(units)};
}

Column flag(std::string name, std::string table, Dims dims, Enters enters, std::string long_name) {
  Column c = number(std::move(name), u1, std::move(dims), enters, std::move(long_name));
  c.flags = std::move(table);
  return c;
}

Column index(std::string name, std::string refers, Dims dims, Enters enters, std::string long_name) {
  Column c = number(std::move(name), u4, std::move(dims), enters, std::move(long_name));
  c.refers = std::move(refers);
  return c;
}

Column optional(Column column) {
  column.sentinel = true;
  return column;
}

Column start(std::string name, std::string dim, std::string long_name) {
  return number(std::move(name), u8, {std::move(dim)}, exact, std::move(long_name));
}

Column pieces(std::string name, std::string dim, std::string counts, std::string long_name,
              Enters enters = exact) {
  Column c = number(std::move(name), u4, {std::move(dim)}, enters, std::move(long_name));
  c.counts = std::move(counts);
  return c;
}

template <std::size_t N>
Dimension labels(std::string name, std::string long_name, const std::array<const char*, N>& names) {
  return {.name = std::move(name),
          .scale = Scale::labels,
          .extent = N,
          .long_name = std::move(long_name),
          .labels = {names.begin(), names.end()}};
}

Dimension bare(std::string name, std::string long_name) {
  return {.name = std::move(name), .scale = Scale::bare, .long_name = std::move(long_name)};
}

Dimension rows(std::string name, std::string long_name) {
  return {.name = std::move(name), .long_name = std::move(long_name)};
}

Group root() {
  return {"",
          "archive",
          "dimension scales that several groups share",
          {rows("model", "model, in order of id"), rows("tensor", "stored tensor or view"),
           rows("layer_row", "decoder layer of one model; -1 holds embed and head"),
           rows("pair", "pair of models"), rows("run", "run that contributed"),
           rows("host", "machine of a run"), labels("part", "part of a layer", layer_parts)},
          {}};
}

Group files() {
  const Dims d = {"file"};
  return {"files",
          "table",
          "files that the models were read from",
          {rows("file", "file of a model")},
          {text("path", d, record, "path as opened"),
           index("model_index", "model", d, exact, "model that the file belongs to"),
           number("bytes", u8, d, exact, "size of the file", "B"),
           number("mtime_ns", i8, d, record, "time of last change since 1970-01-01 UTC", "ns"),
           number("header_bytes", u8, d, exact, "size of the header", "B"),
           flag("format", "format", d, exact, "container format"),
           text("filesystem", d, record, "file system that it lay on"),
           text("sha256", d, exact, "SHA-256 of the file in hex, empty when unknown"),
           flag("sha256_source", "sha256_source", d, exact, "who computed the SHA-256"),
           number("bytes_read", u8, d, record, "bytes requested from the file", "B")}};
}

Group models() {
  const Dims d = {"model"};
  return {"models",
          "ragged",
          "one row per model",
          {},
          {text("id", d, exact, "id, unique, ascending"), text("label", d, record, "name for people"),
           text("path", d, record, "location as the user named it"),
           text("revision", d, record, "revision of the repository"),
           text("architecture", d, exact, "family; empty when no architecture explains the tensors"),
           text("format", d, exact, "container format"),
           text("declared_base", d, record, "first declared base, empty when none"),
           text("declared_json", d, record, "all declarations as JSON: base, relation, source"),
           text("config_json", d, exact, "text of config.json"),
           flag("use", "use", d, exact, "what the model is here for"),
           number("parameters", u8, d, exact, "elements of all stored tensors that have a role"),
           number("bytes", u8, d, exact, "bytes of all stored tensors", "B"),
           number("n_layers", u4, d, exact, "decoder layers"),
           flag("status", "status", d, exact, "how the model ended"),
           start("tensor_start", "model", "first row in /tensors"),
           pieces("tensor_count", "model", "tensor", "rows in /tensors"),
           start("layer_start", "model", "first row in /layers"),
           pieces("layer_count", "model", "layer_row", "rows in /layers")}};
}

Group tensors() {
  const Dims d = {"tensor"};
  return {"tensors",
          "table",
          "stored tensors and their canonical views, by model, name and role",
          {{.name = "axis", .extent = 8, .long_name = "axis of a stored shape"}},
          {text("name", d, exact, "name of the stored tensor"),
           text("role", d, exact, "path of the role; empty for a tensor that only its views explain"),
           text("steps", d, exact, "canonicalisation of a view, empty when it is as stored"),
           index("model_index", "model", d, exact, "model"),
           optional(index("file_index", "file", d, exact, "file that holds the tensor")),
           optional(number("matrix_index", u4, d, exact, "position among the model's canonical matrices")),
           flag("part", "part", d, exact, "part of the model"),
           number("layer", i4, d, exact, "layer, -1 outside of layers"),
           number("expert", i4, d, exact, "expert, -1 outside of experts"),
           optional(index("view_of", "tensor", d, exact, "row of the stored tensor that a view lies in")),
           flag("dtype", "dtype", d, exact, "element type as stored"),
           number("ndim", u1, d, exact, "number of axes"),
           number("shape", i8, {"tensor", "axis"}, exact, "extents, -1 beyond ndim"),
           number("rows", u8, d, exact, "canonical rows (outputs)"),
           number("cols", u8, d, exact, "canonical columns (inputs)"),
           number("data_offset", u8, d, exact, "where the stored tensor begins in its file", "B"),
           number("nbytes", u8, d, exact, "bytes of the elements", "B"),
           optional(number("content_hash_hi", u8, d, exact, "XXH3-128 of the bytes, first half")),
           optional(number("content_hash_lo", u8, d, exact, "XXH3-128 of the bytes, second half")),
           optional(index("duplicate_of", "tensor", d, exact,
                          "first row of the archive with the same hash, dtype, rows and columns")),
           flag("status", "status", d, exact, "how its measurement ended")}};
}

Group moments() {
  const Dims d = {"tensor"};
  std::vector<Column> c;
  const auto counted = [&](const char* name, const char* what) {
    c.push_back(optional(number(name, u8, d, exact, what)));
  };
  counted("n", "finite elements");
  counted("n_nan", "elements that are not a number");
  counted("n_pos_inf", "elements of plus infinity");
  counted("n_neg_inf", "elements of minus infinity");
  counted("n_pos_zero", "elements of plus zero");
  counted("n_neg_zero", "elements of minus zero");
  counted("n_subnormal", "subnormal elements");
  counted("n_positive", "elements above zero");
  counted("n_negative", "elements below zero");
  c.push_back(optional(number("n_distinct", u8, d, exact, "distinct finite values")));
  const auto real = [&](const char* name, const char* what) {
    c.push_back(number(name, f8, d, exact, what));
  };
  real("mean", "mean");
  real("variance", "variance, divisor n");
  real("std_unbiased", "standard deviation, divisor n - 1");
  real("skewness", "skewness");
  real("kurtosis_excess", "kurtosis minus 3");
  real("frobenius_sq", "sum of squares");
  real("l1", "sum of absolute values");
  real("min", "smallest finite value");
  real("max", "largest finite value");
  real("abs_max", "largest absolute value");
  real("abs_min_nonzero", "smallest absolute value above zero");
  c.push_back(number("entropy_bits", f8, d, exact, "entropy of the codes per weight", "bit"));
  c.push_back(number("quantile", f8, {"tensor", "probability"}, exact,
                     "smallest value whose cumulative share reaches the probability"));
  c.push_back(flag("exactness", "exactness", d, exact, "what the moments were made from"));
  return {"moments",
          "table",
          "statistics of the finite values of each row of /tensors, in units of the weight",
          {{.name = "probability",
            .scale = Scale::values,
            .extent = 13,
            .long_name = "cumulative share",
            .values = {0, 1e-4, 1e-3, .01, .05, .25, .5, .75, .95, .99, .999, .9999, 1}}},
          std::move(c)};
}

Group histograms() {
  const Dims d = {"histogram"};
  Column low = optional(start("low_start", "histogram", "first element in low; as many as row_count"));
  return {"histograms",
          "ragged",
          "how often each code occurs in a tensor",
          {rows("histogram", "tensor with a histogram"), bare("bin", "code that occurs"),
           bare("low", "code that occurs, of a type wider than 16 bits")},
          {index("tensor_index", "tensor", d, exact, "row in /tensors, ascending"),
           flag("kind", "histogram", d, exact, "what a code is"),
           start("row_start", "histogram", "first element in bin"),
           pieces("row_count", "histogram", "bin", "elements in bin"), low,
           number("digest_hi", u8, d, exact, "XXH3-128 of the codes and counts, first half"),
           number("digest_lo", u8, d, exact, "XXH3-128 of the codes and counts, second half"),
           number("code", u2, {"bin"}, exact, "bit pattern, ascending in a histogram"),
           number("count", u8, {"bin"}, exact, "elements with that code"),
           number("low_sum", u8, {"low"}, exact, "sum of the low 16 bits of the elements"),
           number("low_square_sum", u8, {"low"}, exact, "sum of their squares")}};
}

Group vectors() {
  return {
      "vectors",
      "ragged",
      "one-dimensional tensors of at most 65,536 elements, whole",
      {rows("vector", "tensor kept whole"), bare("element", "element of a vector")},
      {index("tensor_index", "tensor", {"vector"}, exact, "row in /tensors, ascending"),
       start("row_start", "vector", "first element"), pieces("row_count", "vector", "element", "elements"),
       number("value", f8, {"element"}, exact, "value, widened exactly")}};
}

Group layers() {
  const Dims d = {"layer_row"};
  const Dims cell = {"layer_row", "part"};
  return {"layers",
          "table",
          "the size of the weights by layer and part; experts of a layer are pooled",
          {},
          {index("model_index", "model", d, exact, "model"),
           number("layer", i4, d, exact, "layer; -1 for embed and head"),
           optional(index("tensor_index", "tensor", cell, exact, "first row in /tensors of this part")),
           number("std", f8, cell, exact, "standard deviation, divisor n - 1"),
           number("log_frobenius", f8, cell, feature, "natural logarithm of the Frobenius norm"),
           number("kurtosis_excess", f8, cell, exact, "kurtosis minus 3"),
           number("n_elements", u8, cell, exact, "elements, 0 where the layer has no such part")}};
}

Group method(std::string name, std::string summary) {
  return {"methods/" + std::move(name), "method", std::move(summary), {}, {}};
}

Group content() {
  Group g = method("content", "groups of tensors that are equal by content hash, dtype, rows and columns");
  const Dims d = {"group"};
  g.dimensions = {rows("group", "set of equal tensors"), bare("member", "tensor of a set")};
  g.columns = {number("content_hash_hi", u8, d, exact, "XXH3-128 of the bytes, first half"),
               number("content_hash_lo", u8, d, exact, "XXH3-128 of the bytes, second half"),
               start("row_start", "group", "first element in member"),
               pieces("row_count", "group", "member", "elements in member"),
               flag("bytes_compared", "yes_no", d, exact, "were the bytes themselves compared"),
               index("tensor_index", "tensor", {"member"}, exact, "row in /tensors, ascending in a set")};
  return g;
}

Group intrinsic_fingerprint() {
  Group g = method("intrinsic_fingerprint", "curves of standard deviations over the layers of each model");
  const Dims d = {"layer_row"};
  g.dimensions = {labels("qkvo", "projection of attention", qkvo_parts),
                  labels("twin_part", "gauge-invariant product", twin_parts),
                  {.name = "further_curve", .scale = Scale::found_labels, .long_name = "further curve"}};
  g.columns = {
      flag("in_curve", "yes_no", d, feature, "does the row belong to the curves of its model"),
      number("curve", f8, {"layer_row", "qkvo"}, feature, "standard deviation of the stored weights"),
      number("twin", f8, {"layer_row", "twin_part"}, feature,
             "root mean square of a gauge-invariant product"),
      number("edge", f8, {"layer_row", "qkvo"}, feature,
             "lower bound of the largest singular value over std (sqrt m + sqrt n)"),
      number("further", f8, {"layer_row", "further_curve"}, feature, "further curves by name"),
      flag("random_init", "yes_no", {"model"}, feature, "are the weights as they were initialised"),
      text("random_init_reason", {"model"}, feature, "what the flag was raised for")};
  return g;
}

Group pairs() {
  const Dims d = {"pair"};
  return {"pairs",
          "table",
          "what is said of each compared pair",
          {},
          {index("model_a", "model", d, feature, "model that comes first by id"),
           index("model_b", "model", d, feature, "model that comes second"),
           flag("verdict", "relation", d, feature, "class given by the rules of evidence"),
           number("log10_p", f8, d, feature, "log10 of the p-value"),
           number("log10_p_corrected", f8, d, feature, "the same, corrected for the number of tests"),
           number("tests", u8, d, feature, "tests that were corrected for"),
           number("direction", i4, d, feature, "1 when b comes from a, -1 when a comes from b, 0 unknown"),
           text("reason", d, feature, "why the verdict abstains"),
           text("sentence", d, feature, "the verdict in words")}};
}

Group evidence() {
  const Dims d = {"evidence"};
  return {
      "evidence",
      "table",
      "what each test found in each pair, each score beside its null and its background",
      {rows("evidence", "result of one test on one pair")},
      {index("pair_index", "pair", d, feature, "row in /pairs"), text("method", d, feature, "pair test"),
       text("statistic", d, feature, "what the score is"), text("null", d, feature, "null hypothesis"),
       number("score", f8, d, feature, "score"),
       number("background_percentile", f8, d, feature, "share of unrelated pairs below the score", "percent"),
       number("background_n", u8, d, feature, "unrelated pairs in the background"),
       text("background", d, feature, "name of the background"),
       number("control", f8, d, feature, "score of the control"),
       number("log10_p", f8, d, feature, "log10 of the p-value"),
       flag("grade", "grade", d, feature, "how the p-value was obtained"),
       text("role", d, feature, "where in the model, empty for all of it"),
       text("abstain", d, feature, "why the test does not apply, empty when it does"),
       text("detail_json", d, feature, "more numbers of the test as JSON")}};
}

Group backgrounds() {
  const Dims d = {"background"};
  Column first = start("row_start", "background", "first element in null_score");
  first.enters = feature;
  return {"backgrounds",
          "ragged",
          "scores of populations of unrelated pairs",
          {rows("background", "population"), bare("null_score", "score of one unrelated pair")},
          {text("method", d, feature, "pair test"), text("population", d, feature, "name of the population"),
           first, pieces("row_count", "background", "null_score", "elements in null_score", feature),
           number("value", f8, {"null_score"}, feature, "score")}};
}

Group provenance() {
  const Dims d = {"run"};
  const Dims h = {"host"};
  return {"provenance",
          "table",
          "who made this archive, with what, where and when",
          {},
          {text("uuid", d, record, "id of the run"),
           text("job_id", d, record, "job of the batch system"),
           text("cluster", d, record, "name of the cluster"),
           text("user", d, record, "user"),
           text("argv", d, record, "command line"),
           text("versions_json", d, record, "libraries as JSON"),
           text("environment_json", d, record, "environment as JSON"),
           text("modules", d, record, "loaded modules"),
           text("started", d, record, "ISO 8601 UTC"),
           text("ended", d, record, "ISO 8601 UTC"),
           number("ranks", u4, d, record, "processes"),
           number("nodes", u4, d, record, "machines"),
           number("exit_code", i4, d, record, "exit code"),
           number("read_ratio", f8, d, record, "bytes read over bytes of weights"),
           text("name", h, record, "name of the machine"),
           text("cpu_model", h, record, "processor"),
           text("blas_core", h, record, "kernel that BLAS chose"),
           text("blas_config", h, record, "how BLAS was built"),
           text("mpi_library", h, record, "MPI"),
           flag("selftest", "yes_no", h, record, "did the self test pass")}};
}

Group plan() {
  const Dims d = {"item"};
  return {"plan",
          "table",
          "what was planned and what it took; totals are attributes",
          {rows("item", "planned item")},
          {optional(index("model_index", "model", d, record, "model")),
           text("name", d, record, "stored tensor or group of tensors"),
           number("width", u2, d, record, "ranks that worked on it together"),
           number("predicted", f8, d, record, "predicted time", "s"),
           number("actual", f8, d, record, "time it took", "s"),
           flag("status", "status", d, record, "how it ended")}};
}

Group failures() {
  const Dims d = {"failure"};
  return {
      "failures",
      "table",
      "items that could not be done",
      {rows("failure", "item that failed")},
      {optional(index("model_index", "model", d, exact, "model")),
       text("item", d, exact, "analyzer and subject, or file"),
       flag("stage", "stage", d, exact, "where in the run"),
       text("rule", d, exact, "stable name of the problem"),
       text("problem", d, record, "the problem in words"),
       text("suggestion", d, record, "what to do about it"), number("attempts", u4, d, record, "attempts"),
       flag("quarantined", "yes_no", d, record, "was it given up for good"),
       number("rank", u4, d, record, "process that failed"), text("node", d, record, "machine"),
       number("seconds", f8, d, record, "time spent", "s"), text("when", d, record, "ISO 8601 UTC")}};
}

Group findings() {
  const Dims d = {"finding"};
  return {"findings",
          "table",
          "what was odd about the inputs",
          {rows("finding", "observation about an input")},
          {optional(index("model_index", "model", d, exact, "model")),
           text("rule", d, exact, "stable name of the observation"),
           flag("severity", "severity", d, exact, "how serious it is"), text("file", d, record, "file"),
           text("tensor", d, exact, "tensor"),
           optional(number("byte_offset", u8, d, exact, "where in the file", "B")),
           text("expected", d, record, "what was expected"), text("found", d, record, "what was found"),
           text("hint", d, record, "the problem in words and what to do about it")}};
}

Group config() {
  return {"config",
          "scalars",
          "the configuration of the run",
          {},
          {text("resolved_yaml", {}, record, "with every default filled in"),
           text("original_yaml", {}, record, "as the user wrote it"),
           text("overrides", {}, record, "what the command line changed")}};
}

Group schema() {
  return {"schema",
          "scalars",
          "this layout",
          {},
          {text("layout", {}, record, "for people"), text("schema_json", {}, record, "for programs"),
           text("flag_tables", {}, record, "enumerations as JSON")}};
}

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      root(),
      files(),
      models(),
      tensors(),
      moments(),
      histograms(),
      vectors(),
      layers(),
      {"methods", "methods", "one group per analyzer", {}, {}},
      content(),
      method("histogram", "its numbers are /moments, /histograms and /vectors"),
      intrinsic_fingerprint(),
      pairs(),
      evidence(),
      backgrounds(),
      provenance(),
      plan(),
      failures(),
      findings(),
      config(),
      schema()};
  return all;
}

}  // namespace stemma::layout
