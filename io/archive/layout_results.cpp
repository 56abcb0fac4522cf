// The table of an archive, second half: methods, pairs, evidence, and the records of the run.
#include "io/archive/fingerprint.hpp"
#include "io/archive/layout_columns.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma::layout {
namespace {

Group method(std::string name, std::string summary) {
  return {"methods/" + std::move(name), "method", std::move(summary), {}, {}};
}

Group content() {
  Group g = method("content", "groups of tensors that are equal by content hash, dtype, rows and columns");
  const Dims d = {"group"};
  g.dimensions = {rows("group", "set of equal tensors"), bare("member", "tensor of a set")};
  g.columns = {number("content_hash_hi", u8, d, exact, "XXH3-128 of the bytes, first half"),
               number("content_hash_lo", u8, d, exact, "XXH3-128 of the bytes, second half"),
               start("row_start", "group", "member", "first element in member"),
               pieces("row_count", "group", "member", "elements in member"),
               flag("bytes_compared", "yes_no", d, exact, "were the bytes themselves compared"),
               index("tensor_index", "tensor", {"member"}, exact, "row in /tensors, ascending in a set")};
  for (Column& column : g.columns) column.derived = true;
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

Group neuron_match() {
  Group g = method("neuron_match", "neurons of each MLP as anchor tokens see them");
  g.dimensions = {rows("neuron_block", "one MLP, dense or an expert"),
                  bare("neuron", "neuron that is kept"),
                  {.name = "anchor", .extent = most_anchors, .long_name = "anchor token"},
                  rows("attention_layer", "attention of one layer"),
                  {.name = "anchor_pair",
                   .extent = most_attention_anchors * most_attention_anchors,
                   .long_name = "query and key of two anchor tokens, by query"}};
  const Dims d = {"neuron_block"}, n = {"neuron"}, answers = {"neuron", "anchor"};
  g.columns = {
      number("anchors", u4, {"model"}, feature, "anchor tokens of the model"),
      number("anchors_by_string", u4, {"model"}, feature,
             "those chosen by their bytes, which come first; the others by their row"),
      number("vocabulary", u8, {"model"}, feature, "rows of the embedding"),
      start("block_start", "model", "neuron_block", "first row in neuron_block", feature),
      pieces("block_count", "model", "neuron_block", "rows in neuron_block", feature),
      number("anchor_key", u8, {"model", "anchor"}, feature,
             "XXH3-64 of the token's bytes or row, 0 beyond the last"),
      owner(index("model_index", "model", d, feature, "model")),
      number("layer", i4, d, feature, "layer"),
      number("expert", i4, d, feature, "expert, -1 for a dense MLP"),
      number("units", u4, d, feature, "neurons of the MLP"),
      flag("gated", "yes_no", d, feature, "is there a gate"),
      number("order", f8, d, feature, "largest |Spearman correlation| of norms with places"),
      start("attention_start", "model", "attention_layer", "first row in attention_layer", feature),
      pieces("attention_count", "model", "attention_layer", "rows in attention_layer", feature),
      owner(index("attention_model_index", "model", {"attention_layer"}, feature, "model")),
      number("attention_layer_number", i4, {"attention_layer"}, feature, "layer"),
      number("attention_reading", i1, {"attention_layer", "anchor_pair"}, feature,
             "how q and k weigh anchors against each other, summed over heads, in 127ths of the largest"),
      start("row_start", "neuron_block", "neuron", "first element in neuron", feature),
      pieces("row_count", "neuron_block", "neuron", "elements in neuron", feature),
      number("unit", u4, n, feature, "place of the neuron in its MLP"),
      number("norm_first", f8, n, feature, "length of its row of the gate, else of up"),
      number("norm_product", f8, n, feature, "length of its row of up times that of down"),
      number("first", i1, answers, feature,
             "answer of the gate, else of up, in 127ths of the largest; -128 for none"),
      number("second", i1, answers, feature, "answer of up, else of down, likewise")};
  return g;
}

Group tensorguard() {
  Group g = method("tensorguard", "gradient responses of each model, NaN where they were not computed");
  g.dimensions = {labels("guard_feature", "feature of arXiv 2506.01631", guard_features),
                  labels("projection", "projection of a layer", projection_parts)};
  const Dims d = {"layer_row", "projection"};
  g.columns = {number("value", f8, {"model", "guard_feature"}, feature, "feature of the weights"),
               number("control", f8, {"model", "guard_feature"}, feature,
                      "the same of Gaussian weights of the same shapes and names"),
               number("repaired_kurtosis", f8, d, feature,
                      "fourth moment of W x about zero over its squared second; of experts, the mean"),
               number("repaired_skewness", f8, d, feature,
                      "size of the third moment over the second^1.5; of experts, the root mean square"),
               number("control_repaired_kurtosis", f8, d, feature, "mean for Gaussian weights"),
               number("spread_repaired_kurtosis", f8, d, feature, "standard deviation for Gaussian weights"),
               number("control_repaired_skewness", f8, d, feature, "root mean square for Gaussian weights")};
  return g;
}

Group origin_tracer() {
  Group g = method("origin_tracer", "what differences of weights show, for the pairs that were traced");
  const Dims d = {"trace"};
  g.dimensions = {rows("trace", "reading of one place of one pair"),
                  bare("sigma", "singular value of a difference")};
  g.columns = {owner(index("pair_index", "pair", d, feature, "row in /pairs")),
               number("layer", i4, d, feature, "layer, -1 for none"),
               text("subject", d, feature, "where in the model"),
               text("reading", d, feature, "operator, tensor, row_space or control"),
               text("label", d, feature, "what the reading says, empty when it failed"),
               number("rank_estimate", u4, d, feature, "rank before the largest gap"),
               number("rank_limit", u4, d, feature, "ranks beyond it were not looked for"),
               number("n_significant", u4, d, feature, "singular values above twice noise_floor"),
               number("ratio", f8, d, feature, "of the singular values on both sides of the gap"),
               number("delta", f8, d, feature, "size of the difference over the root mean square of both"),
               number("update", f8, d, feature, "size of the difference over that of the base"),
               number("cosine", f8, d, feature, "of both circuits"),
               number("noise_floor", f8, d, feature, "largest singular value of rounding noise"),
               start("row_start", "trace", "sigma", "first element in sigma", feature),
               pieces("row_count", "trace", "sigma", "elements in sigma", feature),
               number("value", f8, {"sigma"}, feature, "singular value, descending")};
  g.columns.back().tolerance = 1e-6;
  return g;
}

Group pairs() {
  const Dims d = {"pair"};
  Column direction =
      number("direction", i4, d, feature, "1 when b comes from a, -1 when a comes from b, 0 unknown");
  direction.turns = true;
  return {"pairs",
          "table",
          "what is said of each compared pair",
          {},
          {owner(index("model_a", "model", d, feature, "model that comes first by id")),
           owner(index("model_b", "model", d, feature, "model that comes second")),
           flag("verdict", "relation", d, feature, "class given by the rules of evidence"),
           number("log10_p", f8, d, feature, "log10 of the p-value"),
           number("log10_p_corrected", f8, d, feature, "the same, corrected for the number of tests"),
           number("tests", u8, d, feature, "tests that were corrected for"), direction,
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
      {owner(index("pair_index", "pair", d, feature, "row in /pairs")),
       text("method", d, feature, "pair test"), text("statistic", d, feature, "what the score is"),
       text("null", d, feature, "null hypothesis"), number("score", f8, d, feature, "score"),
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
  return {"backgrounds",
          "ragged",
          "scores of populations of unrelated pairs",
          {rows("background", "population"), bare("null_score", "score of one unrelated pair")},
          {text("method", d, feature, "pair test"), text("population", d, feature, "name of the population"),
           start("row_start", "background", "null_score", "first element in null_score", feature),
           pieces("row_count", "background", "null_score", "elements in null_score", feature),
           number("value", f8, {"null_score"}, feature, "score")}};
}

Group provenance() {
  const Dims d = {"run"};
  const Dims h = {"host"};
  return {"provenance",
          "table",
          "who made this archive, with what, where and when; an archive that one run wrote says archive to "
          "overrides "
          "elsewhere, and they are empty here",
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
           text("archive", d, record, "name of the archive that the run wrote"),
           text("software_version", d, record, "version of the program"),
           text("software_commit", d, record, "its commit"),
           text("machine", d, record, "machine of the first process"),
           text("created", d, record, "when its archive was written, ISO 8601 UTC"),
           text("canonical_exact", d, record, "canonical_exact of its archive"),
           text("canonical_all", d, record, "canonical_all of its archive"),
           text("methods_json", d, record, "methods of models and of pairs, with versions and parameters"),
           text("plan_json", d, record, "totals of its plan, with the calibration"),
           text("resolved_yaml", d, record, "configuration with every default filled in"),
           text("original_yaml", d, record, "configuration as the user wrote it"),
           text("overrides", d, record, "what the command line changed"),
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
          {optional(owner(index("model_index", "model", d, record, "model"))),
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
      {optional(owner(index("model_index", "model", d, exact, "model"))),
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
          {optional(owner(index("model_index", "model", d, exact, "model"))),
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

std::vector<Group> result_groups() {
  return {{"methods", "methods", "one group per analyzer", {}, {}},
          content(),
          method("histogram", "its numbers are /moments, /histograms, /vectors and /codes"),
          intrinsic_fingerprint(),
          neuron_match(),
          method("spectrum", "its numbers are /spectra and columns of /layers"),
          tensorguard(),
          origin_tracer(),
          pairs(),
          evidence(),
          backgrounds(),
          provenance(),
          plan(),
          failures(),
          findings(),
          config(),
          schema()};
}

}  // namespace stemma::layout
