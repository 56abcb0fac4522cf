// How does one tensor become a row of /tensors, and its histogram rows of /moments, /histograms, /vectors and
// /codes?
#include <array>
#include <limits>

#include "io/archive/measurement.hpp"
#include "io/archive/model_rows.hpp"

namespace stemma {
namespace {

struct Shape {
  std::vector<std::int64_t> extents;
  std::uint64_t rows = 1;
  std::uint64_t cols = 1;
};

Shape shape_of(const TensorLine& line) {
  Shape s;
  if (line.view) {
    s.extents = {static_cast<std::int64_t>(line.matrix->rows)};
    if (!line.matrix->vector) s.extents.push_back(static_cast<std::int64_t>(line.matrix->cols));
  } else {
    for (const std::uint64_t extent : line.stored->shape)
      s.extents.push_back(static_cast<std::int64_t>(extent));
  }
  if (line.matrix != nullptr) {
    s.rows = line.matrix->rows;
    s.cols = line.matrix->cols;
  } else {
    if (!line.stored->shape.empty()) s.rows = line.stored->shape.front();
    s.cols = s.rows == 0 ? 0 : line.stored->elements() / s.rows;
  }
  return s;
}

bool measured(const std::optional<Features>& f) {
  return f && (f->status == Status::ok || f->status == Status::nonfinite || f->status == Status::duplicate);
}

Status status_of(const TensorLine& line, Status model, const std::optional<Features>& content,
                 const std::optional<Features>& histogram) {
  if (content && content->status != Status::ok) return content->status;
  if (histogram && histogram->status != Status::ok) return histogram->status;
  if (content || histogram) return Status::ok;
  if (!line.used || model == Status::skipped) return Status::skipped;
  return model == Status::failed ? Status::failed : Status::pending;
}

void put_optional(TableWriter& table, std::string_view column, std::optional<std::uint64_t> value) {
  if (value)
    table.put(column, *value);
  else
    table.put_missing(column);
}

std::optional<std::uint64_t> count(const Features& f, const std::string& name) {
  const auto found = f.counts.find(name);
  return found == f.counts.end() ? std::nullopt : std::optional(found->second);
}

void write_histogram(TableWriter& table, std::uint32_t tensor, const Features& f) {
  const auto& codes = f.integers.at("code");
  table.put("histograms/tensor_index", tensor);
  table.put("histograms/kind", count(f, "kind").value_or(0));
  table.put("histograms/row_start", table.rows("histograms/code"));
  table.put("histograms/row_count", codes.size());
  table.put("histograms/digest_hi", count(f, "digest_hi").value_or(0));
  table.put("histograms/digest_lo", count(f, "digest_lo").value_or(0));
  table.put_all("histograms/code", codes);
  table.put_all("histograms/count", f.integers.at("count"));
  if (const auto low = f.integers.find("low_sum"); low != f.integers.end()) {
    table.put("histograms/low_start", table.rows("histograms/low_sum"));
    table.put_all("histograms/low_sum", low->second);
    table.put_all("histograms/low_square_sum", f.integers.at("low_square_sum"));
  } else {
    table.put_missing("histograms/low_start");
  }
}

/// Nothing for a tensor of numbers.
void write_codes(TableWriter& table, std::uint32_t tensor, const StoredTensor& stored,
                 const std::optional<Features>& codes) {
  if (stored.scheme.empty() || !measured(codes)) return;
  table.put("codes/tensor_index", tensor);
  table.put("codes/scheme", archive_text(stored.scheme));
  table.put("codes/largest", codes->numbers.at("largest"));
  table.put("codes/root_mean_square", codes->numbers.at("root_mean_square"));
}

}  // namespace

void write_measurement(TableWriter& table, std::uint32_t tensor, const std::optional<Features>& histogram) {
  const Features none;
  const Features& f = measured(histogram) ? *histogram : none;
  for (const char* name : moment_counts) put_optional(table, std::string("moments/") + name, count(f, name));
  for (const char* name : moment_numbers) {
    const auto found = f.numbers.find(name);
    table.put(std::string("moments/") + name, found == f.numbers.end() ? missing : found->second);
  }
  table.put("moments/exactness", count(f, "exactness").value_or(255));
  const auto quantile = f.reals.find("quantile");
  if (quantile == f.reals.end())
    table.put_missing("moments/quantile");
  else
    table.put_row("moments/quantile", quantile->second);

  if (f.integers.contains("code")) write_histogram(table, tensor, f);
  if (const auto vector = f.reals.find("vector"); vector != f.reals.end()) {
    table.put("vectors/tensor_index", tensor);
    table.put("vectors/row_start", table.rows("vectors/value"));
    table.put("vectors/row_count", vector->second.size());
    table.put_all("vectors/value", vector->second);
  }
}

void write_tensor(TableWriter& table, const TensorLine& line, std::uint32_t model, const ModelEntry& entry,
                  std::uint64_t first_file, const FeatureSource& features, std::vector<ContentKey>& keys) {
  const auto row = static_cast<std::uint32_t>(table.rows("tensors/name"));
  const auto content = features("content", line.subject);
  const auto histogram = line.matrix == nullptr ? std::nullopt : features("histogram", line.subject);
  const StoredTensor& stored = *line.stored;
  const Role role = line.matrix == nullptr ? Role{} : line.matrix->role;

  Shape shape = shape_of(line);
  table.put("tensors/ndim", shape.extents.size());
  shape.extents.resize(8, -1);
  table.put_row("tensors/shape", shape.extents);
  table.put("tensors/rows", shape.rows);
  table.put("tensors/cols", shape.cols);

  table.put("tensors/name", line.name);
  table.put("tensors/role", line.role);
  table.put("tensors/steps", line.matrix == nullptr ? std::string() : line.matrix->steps);
  table.put("tensors/model_index", model);
  table.put("tensors/file_index", first_file + stored.file);
  put_optional(table, "tensors/matrix_index",
               line.matrix == nullptr ? std::nullopt : std::optional<std::uint64_t>(line.matrix_index));
  table.put("tensors/part", role.part);
  table.put("tensors/layer", role.layer);
  table.put("tensors/expert", role.expert);
  put_optional(table, "tensors/view_of", line.view_of);
  table.put("tensors/dtype", stored.dtype);
  table.put("tensors/data_offset", stored.offset);
  table.put("tensors/nbytes", line.view ? line.matrix->elements() * bits_of(stored.dtype) / 8 : stored.bytes);
  table.put("tensors/status", status_of(line, entry.status, content, histogram));

  const auto high = measured(content) ? count(*content, "hash_hi") : std::nullopt;
  const auto low = measured(content) ? count(*content, "hash_lo") : std::nullopt;
  put_optional(table, "tensors/content_hash_hi", high);
  put_optional(table, "tensors/content_hash_lo", low);
  if (high && low)
    keys.push_back({.hash = {*high, *low},
                    .rows = shape.rows,
                    .cols = shape.cols,
                    .tensor = row,
                    .dtype = stored.dtype});
  write_measurement(table, row, histogram);
  if (!line.view) write_codes(table, row, stored, features("histogram", codes_subject(stored)));
  if (line.matrix != nullptr) write_spectrum(table, row, features("spectrum", line.subject));
}

}  // namespace stemma
