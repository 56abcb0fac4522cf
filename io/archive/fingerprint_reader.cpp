// How is the fingerprint of one model put together from its rows?
#include "io/archive/fingerprint_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace stemma {
namespace {

constexpr std::uint32_t none32 = std::numeric_limits<std::uint32_t>::max();

std::vector<Claim> claims_of(const std::string& json_text) {
  std::vector<Claim> claims;
  for (const auto& c : nlohmann::json::parse(json_text))
    claims.push_back({c.at("base").get<std::string>(), c.at("relation").get<std::string>(),
                      c.at("source").get<std::string>()});
  return claims;
}

// Column `j` of row-major rows.
template <class Value>
std::vector<Value> column_of(const std::vector<Value>& rows, std::size_t width, std::size_t j) {
  std::vector<Value> out;
  for (std::size_t at = j; at < rows.size(); at += width) out.push_back(rows[at]);
  return out;
}

bool says_something(const std::vector<double>& values) {
  return std::ranges::any_of(values, [](double v) { return !std::isnan(v); });
}

struct LayerRange {
  std::uint64_t start = 0;
  std::uint64_t count = 0;
};

LayerTable read_layers(const TableReader& table, const LayerRange& range) {
  LayerTable out;
  const auto layers = table.read<std::int32_t>("layers/layer", range.start, range.count);
  out.layer.assign(layers.begin(), layers.end());
  if (layers.empty()) return out;
  const auto std_unbiased = table.read<double>("layers/std", range.start, range.count);
  const auto log_frobenius = table.read<double>("layers/log_frobenius", range.start, range.count);
  const auto kurtosis = table.read<double>("layers/kurtosis_excess", range.start, range.count);
  const auto elements = table.read<std::uint64_t>("layers/n_elements", range.start, range.count);
  const auto s1 = table.read<double>("layers/s1", range.start, range.count);
  const auto stable_rank = table.read<double>("layers/stable_rank", range.start, range.count);
  const auto effective_rank = table.read<double>("layers/effective_rank", range.start, range.count);
  for (std::size_t j = 0; j < layer_parts.size(); ++j) {
    out.s1[layer_parts[j]] = column_of(s1, layer_parts.size(), j);
    out.stable_rank[layer_parts[j]] = column_of(stable_rank, layer_parts.size(), j);
    out.effective_rank[layer_parts[j]] = column_of(effective_rank, layer_parts.size(), j);
    out.n_elements[layer_parts[j]] = column_of(elements, layer_parts.size(), j);
    out.std_unbiased[layer_parts[j]] = column_of(std_unbiased, layer_parts.size(), j);
    out.log_frobenius[layer_parts[j]] = column_of(log_frobenius, layer_parts.size(), j);
    out.kurtosis_excess[layer_parts[j]] = column_of(kurtosis, layer_parts.size(), j);
  }
  return out;
}

std::optional<IntrinsicCurves> read_curves(const TableReader& table, std::size_t model,
                                           const LayerRange& range, const std::vector<int>& layers) {
  const std::string group = "methods/intrinsic_fingerprint/";
  const auto random_init = table.one<std::uint8_t>(group + "random_init", model);
  if (random_init > 1) return std::nullopt;
  IntrinsicCurves curves;
  curves.random_init = random_init == 1;
  curves.random_init_reason = table.text(group + "random_init_reason", model, 1).front();

  const auto in_curve = table.read<std::uint8_t>(group + "in_curve", range.start, range.count);
  const auto kept = [&](const std::vector<double>& column) {
    std::vector<double> out;
    for (std::size_t i = 0; i < in_curve.size(); ++i)
      if (in_curve[i] == 1) out.push_back(column.at(i));
    return out;
  };
  for (std::size_t i = 0; i < in_curve.size(); ++i)
    if (in_curve[i] == 1) curves.layer.push_back(layers.at(i));
  const auto read = [&](const char* name) {
    return table.read<double>(group + name, range.start, range.count);
  };
  const auto curve = read("curve");
  const auto twin = read("twin");
  const auto edge = read("edge");
  for (std::size_t j = 0; j < 4; ++j) {
    curves.curve[j] = kept(column_of(curve, 4, j));
    curves.twin[j] = kept(column_of(twin, 4, j));
    curves.edge[j] = kept(column_of(edge, 4, j));
  }
  const auto names = table.text(group + "further_curve");
  const auto further = read("further");
  for (std::size_t j = 0; j < names.size(); ++j) {
    auto values = kept(column_of(further, names.size(), j));
    if (says_something(values)) curves.further.emplace(names[j], std::move(values));
  }
  return curves;
}

std::optional<GuardResponse> read_guard(const TableReader& table, std::size_t model) {
  const auto value = table.read<double>("methods/tensorguard/value", model, 1);
  const auto control = table.read<double>("methods/tensorguard/control", model, 1);
  if (value.size() != guard_features.size() || control.size() != value.size() || std::isnan(value.front()))
    return std::nullopt;
  GuardResponse response;
  std::copy(value.begin(), value.end(), response.value.begin());
  std::copy(control.begin(), control.end(), response.control.begin());
  return response;
}

std::optional<RepairedCurves> read_repaired(const TableReader& table, const LayerRange& range,
                                            const std::vector<int>& layers) {
  RepairedCurves repaired;
  bool known = false;
  std::vector<std::size_t> decoder;  // rows
  for (std::size_t row = 0; row < layers.size(); ++row) {
    if (layers[row] < 0) continue;
    decoder.push_back(row);
    repaired.layer.push_back(layers[row]);
  }
  for (const auto& [name, curves] : repaired_columns) {
    const auto rows =
        table.read<double>(std::string("methods/tensorguard/") + name, range.start, range.count);
    for (std::size_t j = 0; j < projection_parts.size(); ++j)
      for (const std::size_t row : decoder)
        (repaired.*curves)[j].push_back(rows.at(row * projection_parts.size() + j));
    known = known || says_something(rows);
  }
  return known ? std::optional(std::move(repaired)) : std::nullopt;
}

std::vector<TensorMark> read_marks(const TableReader& table, const ModelRow& model,
                                   const std::vector<std::uint32_t>& histogram_tensors) {
  const std::vector<TensorRow> rows = read_tensors(table, model);
  const auto order = table.read<std::uint32_t>("tensors/matrix_index", model.first_tensor, model.tensors);
  const auto part = table.read<std::uint8_t>("tensors/part", model.first_tensor, model.tensors);
  const auto distinct = table.read<std::uint64_t>("moments/n_distinct", model.first_tensor, model.tensors);

  const auto first = std::ranges::lower_bound(histogram_tensors, model.first_tensor);
  const auto last = std::ranges::lower_bound(histogram_tensors, model.first_tensor + model.tensors);
  const auto start = static_cast<std::uint64_t>(first - histogram_tensors.begin());
  const auto count = static_cast<std::uint64_t>(last - first);
  const auto digest_hi = table.read<std::uint64_t>("histograms/digest_hi", start, count);
  const auto digest_lo = table.read<std::uint64_t>("histograms/digest_lo", start, count);

  std::vector<std::pair<std::uint32_t, TensorMark>> marks;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (order[i] == none32 || part[i] == static_cast<std::uint8_t>(Part::buffer)) continue;
    const TensorRow& row = rows[i];
    TensorMark mark{.role = row.role,
                    .content = row.content,
                    .histogram = {},
                    .dtype = static_cast<std::uint8_t>(row.dtype),
                    .rows = row.rows,
                    .cols = row.cols,
                    .bytes = row.bytes,
                    .distinct = distinct[i] == none64 ? 0 : distinct[i],
                    .known = row.content_known};
    const auto found = std::lower_bound(first, last, model.first_tensor + i);
    if (found != last && *found == model.first_tensor + i) {
      const auto at = static_cast<std::size_t>(found - first);
      mark.histogram = {digest_hi[at], digest_lo[at]};
    }
    marks.emplace_back(order[i], std::move(mark));
  }
  std::ranges::sort(marks, {}, [](const auto& m) { return m.first; });
  std::vector<TensorMark> out;
  for (auto& [position, mark] : marks) out.push_back(std::move(mark));
  return out;
}

}  // namespace

std::vector<ModelRow> read_models(const TableReader& t) {
  std::vector<ModelRow> rows(t.rows("models/id"));
  const auto text = [&](const char* name, std::string ModelRow::*field) {
    auto values = t.text(std::string("models/") + name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = std::move(values.at(i));
  };
  text("id", &ModelRow::id);
  text("label", &ModelRow::label);
  text("path", &ModelRow::path);
  text("revision", &ModelRow::revision);
  text("architecture", &ModelRow::family);
  text("format", &ModelRow::format);
  text("config_json", &ModelRow::config_json);
  const auto declared = t.text("models/declared_json");
  const auto use = t.read<std::uint8_t>("models/use");
  const auto status = t.read<std::uint8_t>("models/status");
  const auto parameters = t.read<std::uint64_t>("models/parameters");
  const auto bytes = t.read<std::uint64_t>("models/bytes");
  const auto layers = t.read<std::uint32_t>("models/n_layers");
  const auto start = t.read<std::uint64_t>("models/tensor_start");
  const auto count = t.read<std::uint32_t>("models/tensor_count");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].declared = claims_of(declared.at(i));
    rows[i].use = static_cast<Use>(use.at(i));
    rows[i].status = static_cast<Status>(status.at(i));
    rows[i].parameters = parameters.at(i);
    rows[i].bytes = bytes.at(i);
    rows[i].layers = static_cast<int>(layers.at(i));
    rows[i].first_tensor = start.at(i);
    rows[i].tensors = count.at(i);
  }
  return rows;
}

std::vector<TensorRow> read_tensors(const TableReader& t, const ModelRow& model) {
  const std::uint64_t start = model.first_tensor;
  const std::uint64_t n = model.tensors;
  const auto name = t.text("tensors/name", start, n);
  const auto role = t.text("tensors/role", start, n);
  const auto steps = t.text("tensors/steps", start, n);
  const auto dtype = t.read<std::uint8_t>("tensors/dtype", start, n);
  const auto status = t.read<std::uint8_t>("tensors/status", start, n);
  const auto rows = t.read<std::uint64_t>("tensors/rows", start, n);
  const auto cols = t.read<std::uint64_t>("tensors/cols", start, n);
  const auto bytes = t.read<std::uint64_t>("tensors/nbytes", start, n);
  const auto hash_hi = t.read<std::uint64_t>("tensors/content_hash_hi", start, n);
  const auto hash_lo = t.read<std::uint64_t>("tensors/content_hash_lo", start, n);
  const auto view_of = t.read<std::uint32_t>("tensors/view_of", start, n);
  const auto duplicate_of = t.read<std::uint32_t>("tensors/duplicate_of", start, n);
  const auto reference = [](std::uint32_t row) {
    return row == none32 ? std::nullopt : std::optional<std::uint64_t>(row);
  };
  std::vector<TensorRow> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool known = hash_hi[i] != none64 || hash_lo[i] != none64;
    out[i] = {.name = name[i],
              .role = role[i],
              .steps = steps[i],
              .dtype = static_cast<Dtype>(dtype[i]),
              .status = static_cast<Status>(status[i]),
              .rows = rows[i],
              .cols = cols[i],
              .bytes = bytes[i],
              .content = known ? Hash128{hash_hi[i], hash_lo[i]} : Hash128{},
              .content_known = known,
              .view_of = reference(view_of[i]),
              .duplicate_of = reference(duplicate_of[i])};
  }
  return out;
}

Fingerprint read_fingerprint(const TableReader& table, const ModelRow& model, std::size_t index,
                             const std::vector<std::uint32_t>& histogram_tensors, Sketches sketches) {
  Fingerprint f;
  f.id = model.id;
  f.label = model.label;
  f.family = model.family;
  f.use = model.use;
  f.status = model.status;
  f.layers = model.layers;
  f.parameters = model.parameters;
  f.declared = model.declared;
  f.tensors = read_marks(table, model, histogram_tensors);
  order_marks(f);
  const LayerRange range{table.one<std::uint64_t>("models/layer_start", index),
                         table.one<std::uint32_t>("models/layer_count", index)};
  f.table = read_layers(table, range);
  f.intrinsic = read_curves(table, index, range, f.table.layer);
  f.guard = read_guard(table, index);
  f.repaired = read_repaired(table, range, f.table.layer);
  if (sketches == Sketches::read) f.neurons = read_neurons(table, index);
  return f;
}

}  // namespace stemma
