// The table of everything that is in an archive, version 1.0: first half, the inputs and their measurements.
#include "io/archive/layout.hpp"

#include "io/archive/fingerprint.hpp"
#include "io/archive/layout_columns.hpp"

namespace stemma::layout {
namespace {

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
           owner(index("model_index", "model", d, exact, "model that the file belongs to")),
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
           start("tensor_start", "model", "tensor", "first row in /tensors"),
           pieces("tensor_count", "model", "tensor", "rows in /tensors"),
           start("layer_start", "model", "layer_row", "first row in /layers"),
           pieces("layer_count", "model", "layer_row", "rows in /layers"),
           optional(index("run_index", "run", d, record, "run that measured it, row in /provenance"))}};
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
           derived(optional(index("duplicate_of", "tensor", d, exact,
                                  "first row of the archive with the same hash, dtype, rows and columns"))),
           flag("status", "status", d, exact, "how its measurement ended")}};
}

Group moments() {
  const Dims d = {"tensor"};
  std::vector<Column> c;
  const auto counted = [&](const char* name, const char* what) {
    c.push_back(optional(number(name, u8, d, exact, what)));
  };
  counted("n", "elements, NaN and infinities included");
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
  Column low = optional(start("low_start", "histogram", "low", "first element in low; as many as row_count"));
  low.length = "row_count";
  return {"histograms",
          "ragged",
          "how often each code occurs in a tensor",
          {rows("histogram", "tensor with a histogram"), bare("bin", "code that occurs"),
           bare("low", "code that occurs, of a type wider than 16 bits")},
          {owner(index("tensor_index", "tensor", d, exact, "row in /tensors, ascending")),
           flag("kind", "histogram", d, exact, "what a code is"),
           start("row_start", "histogram", "bin", "first element in bin"),
           pieces("row_count", "histogram", "bin", "elements in bin"), low,
           number("digest_hi", u8, d, exact, "XXH3-128 of the codes and counts, first half"),
           number("digest_lo", u8, d, exact, "XXH3-128 of the codes and counts, second half"),
           number("code", u2, {"bin"}, exact, "bit pattern, ascending in a histogram"),
           number("count", u8, {"bin"}, exact, "elements with that code"),
           number("low_sum", u8, {"low"}, exact, "sum of the low 16 bits of the elements"),
           number("low_square_sum", u8, {"low"}, exact, "sum of their squares")}};
}

Group vectors() {
  return {"vectors",
          "ragged",
          "one-dimensional tensors of at most 65,536 elements, whole",
          {rows("vector", "tensor kept whole"), bare("element", "element of a vector")},
          {owner(index("tensor_index", "tensor", {"vector"}, exact, "row in /tensors, ascending")),
           start("row_start", "vector", "element", "first element"),
           pieces("row_count", "vector", "element", "elements"),
           number("value", f8, {"element"}, exact, "value, widened exactly")}};
}

Group codes() {
  const Dims d = {"code"};
  return {"codes",
          "table",
          "how far the values of quantised tensors may be from what was rounded to their codes",
          {rows("code", "quantised tensor")},
          {owner(index("tensor_index", "tensor", d, exact, "row in /tensors, ascending")),
           text("scheme", d, exact, "how values are coded"),
           number("largest", f8, d, exact,
                  "half the distance of a value to its farther neighbouring code: the largest"),
           number("root_mean_square", f8, d, exact, "the same: the root of the mean square")}};
}

Group spectra() {
  const Dims d = {"spectrum"};
  std::vector<Column> c;
  const auto real = [&](const char* name, const char* what) {
    c.push_back(number(name, f8, d, feature, what));
  };
  const auto rounded = [&](const char* name, const char* what) {
    c.push_back(rounding(number(name, f8, d, feature, what)));
  };
  c.push_back(owner(index("tensor_index", "tensor", d, feature, "row in /tensors, ascending")));
  c.push_back(flag("kind", "spectrum_kind", d, feature, "what the values belong to"));
  c.push_back(number("rows", u8, d, feature, "rows of the matrix"));
  c.push_back(number("cols", u8, d, feature, "columns of the matrix"));
  c.push_back(start("row_start", "spectrum", "sv", "first element in sv", feature));
  c.push_back(pieces("row_count", "spectrum", "sv", "elements in sv: the shorter side", feature));
  c.push_back(number("value", f8, {"sv"}, feature, "singular value, descending in a spectrum"));
  c.back().tolerance = 1e-6;  // small values: twice sqrt(E), 4 k^(1/4) 2^-26.5 s1 each
  real("e_estimate", "E of the estimated error, in squares of the weight's unit");
  real("e_bound", "E of the error bound, in squares of the weight's unit");
  real("tau", "values below it are small and no more");
  c.push_back(
      rounding(flag("error_model", "error_model", d, feature, "which formula gives the error of a value")));
  c.push_back(rounding(number("count_below_tau", u4, d, feature, "values below tau")));
  c.push_back(rounding(flag("method", "spectrum_method", d, feature, "how the values were computed")));
  c.push_back(flag("exact_products", "yes_no", d, feature, "are products of two elements exact in f8"));
  c.push_back(rounding(number("attempts", u1, d, feature, "2 when the first answer broke an invariant")));
  c.push_back(number("grid_rows", u2, d, record, "rows of the grid of ranks that shared the work"));
  c.push_back(number("grid_cols", u2, d, record, "columns of that grid"));
  real("stable_rank", "sum of squares over the largest square");
  real("effective_rank", "exponential of the entropy");
  real("entropy", "entropy in nats of the values over their sum");
  real("energy_rank", "exponential of the entropy of the squares");
  real("participation_ratio", "squared sum of squares over the sum of fourth powers");
  real("tail_exponent", "Hill's estimator over the larger half of the squares");
  rounded("condition", "largest value over the smallest, where that is not below tau");
  real("frobenius_sq", "sum of squares of the elements, found beside the values");
  rounded("trace_gap", "sum of eigenvalues against frobenius_sq, relative");
  rounded("square_gap", "sum of squared eigenvalues against the Gram matrix, relative");
  rounded("probe_gap", "products with random signs against the elements, over sqrt(k) s1^2");
  rounded("norm_gap", "how far the largest value lies outside the norms that enclose it, relative");
  rounded("min_eigenvalue", "smallest eigenvalue of the Gram matrix");
  rounded("crosscheck_gap", "largest difference from another method over the largest value");
  return {
      "spectra",
      "ragged",
      "all singular values of each matrix; err(s; E, f) = min(sqrt E, E / (s + sqrt max(0, s^2 - E))) + f u "
      "s1, u = 2^-53; gram: err(s; e_estimate, 4 sqrt k) and err(s; e_bound, k); backward_stable: 4 sqrt(k) "
      "u s1",
      {rows("spectrum", "matrix with a spectrum"), bare("sv", "singular value")},
      std::move(c)};
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
           number("n_elements", u8, cell, exact, "elements, 0 where the layer has no such part"),
           number("s1", f8, cell, feature, "largest singular value"),
           number("stable_rank", f8, cell, feature, "sum of squared singular values over the largest square"),
           number("effective_rank", f8, cell, feature, "exponential of the entropy of the singular values")}};
}

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all = [] {
    std::vector<Group> both = {root(),       files(),   models(), tensors(), moments(),
                               histograms(), vectors(), codes(),  spectra(), layers()};
    for (Group& group : result_groups()) both.push_back(std::move(group));
    return both;
  }();
  return all;
}

}  // namespace stemma::layout
