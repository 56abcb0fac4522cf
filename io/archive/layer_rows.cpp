// How do the curves and vectors of a fingerprint become rows of /layers and /methods?
#include <algorithm>
#include <array>
#include <limits>

#include "io/archive/model_rows.hpp"
#include "io/model/role.hpp"

namespace stemma {
namespace {

// Parts that a column of /layers pools, the dense one first.
std::vector<Part> parts_of(std::string_view column) {
  if (column == "q") return {Part::attn_q};
  if (column == "k") return {Part::attn_k};
  if (column == "v") return {Part::attn_v};
  if (column == "o") return {Part::attn_o};
  if (column == "gate") return {Part::mlp_gate, Part::moe_expert_gate};
  if (column == "up") return {Part::mlp_up, Part::moe_expert_up};
  if (column == "down") return {Part::mlp_down, Part::moe_expert_down};
  if (column == "router") return {Part::moe_router};
  if (column == "norm_attn") return {Part::norm_pre_attn};
  if (column == "norm_mlp") return {Part::norm_pre_mlp};
  if (column == "embed") return {Part::embed};
  return {Part::lm_head};
}

std::uint64_t first_tensor(std::string_view column, int layer,
                           const std::map<std::string, std::uint32_t>& tensor_of_role) {
  for (const Part part : parts_of(column))
    for (const int expert : {-1, 0}) {
      const auto found = tensor_of_role.find(path_of(Role{.layer = layer, .part = part, .expert = expert}));
      if (found != tensor_of_role.end()) return found->second;
    }
  return std::numeric_limits<std::uint32_t>::max();
}

template <class Value>
std::vector<Value> row_of(const std::map<std::string, std::vector<Value>>& by_part,
                          std::optional<std::size_t> row, Value absent) {
  std::vector<Value> out;
  for (const char* part : layer_parts) {
    const auto found = by_part.find(part);
    out.push_back(row && found != by_part.end() && *row < found->second.size() ? found->second[*row]
                                                                               : absent);
  }
  return out;
}

template <std::size_t Parts>
std::vector<double> column_values(const std::array<std::vector<double>, Parts>& curves,
                                  std::optional<std::size_t> row) {
  std::vector<double> out;
  for (const std::vector<double>& curve : curves)
    out.push_back(row && *row < curve.size() ? curve[*row] : missing);
  return out;
}

std::optional<std::size_t> position(const std::vector<int>& layers, int layer) {
  const auto found = std::ranges::find(layers, layer);
  return found == layers.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - layers.begin()));
}

void write_curves(TableWriter& table, const IntrinsicCurves& curves, std::optional<std::size_t> row) {
  const std::string group = "methods/intrinsic_fingerprint/";
  table.put(group + "in_curve", row ? 1 : 0);
  table.put_row(group + "curve", column_values(curves.curve, row));
  table.put_row(group + "twin", column_values(curves.twin, row));
  table.put_row(group + "edge", column_values(curves.edge, row));
  std::vector<double> further(table.labels(group + "further_curve"), missing);
  for (const auto& [name, values] : curves.further) {
    const std::size_t column = table.label(group + "further_curve", group + "further", name);
    if (row && *row < values.size()) further.at(column) = values[*row];
  }
  table.put_row(group + "further", further);
}

void write_guard(TableWriter& table, const Fingerprint* fingerprint) {
  const bool known = fingerprint != nullptr && fingerprint->guard;
  const std::vector<double> nothing(guard_features.size(), missing);
  const auto row = [&](const GuardVector& of) { return std::vector<double>(of.begin(), of.end()); };
  table.put_row("methods/tensorguard/value", known ? row(fingerprint->guard->value) : nothing);
  table.put_row("methods/tensorguard/control", known ? row(fingerprint->guard->control) : nothing);
}

void write_repaired(TableWriter& table, const std::optional<RepairedCurves>& repaired, int layer) {
  const auto row = repaired ? position(repaired->layer, layer) : std::nullopt;
  const RepairedCurves::Curves nothing;
  for (const auto& [name, curves] : repaired_columns)
    table.put_row(std::string("methods/tensorguard/") + name,
                  column_values(repaired ? (*repaired).*curves : nothing, row));
}

}  // namespace

void write_layers(TableWriter& table, std::uint32_t model, const Fingerprint* fingerprint,
                  const std::map<std::string, std::uint32_t>& tensor_of_role) {
  write_guard(table, fingerprint);
  const bool sketched = fingerprint != nullptr && fingerprint->neurons;
  write_neurons(table, model, sketched ? &*fingerprint->neurons : nullptr);
  const std::string group = "methods/intrinsic_fingerprint/";
  const IntrinsicCurves* curves =
      fingerprint != nullptr && fingerprint->intrinsic ? &*fingerprint->intrinsic : nullptr;
  if (curves == nullptr)
    table.put_missing(group + "random_init");
  else
    table.put(group + "random_init", curves->random_init ? 1 : 0);
  table.put(group + "random_init_reason", curves == nullptr ? std::string() : curves->random_init_reason);
  if (fingerprint == nullptr) return;

  std::vector<int> layers = fingerprint->table.layer;
  const auto join = [&](const std::vector<int>& more) {
    for (const int layer : more)
      if (!position(layers, layer)) layers.push_back(layer);
  };
  if (curves != nullptr) join(curves->layer);
  if (fingerprint->repaired) join(fingerprint->repaired->layer);
  // Names first: rows must not widen while one of them is being written.
  if (curves != nullptr && !layers.empty())
    for (const auto& [name, values] : curves->further)
      table.label(group + "further_curve", group + "further", name);

  for (const int layer : layers) {
    const auto row = position(fingerprint->table.layer, layer);
    std::vector<std::uint64_t> tensors;
    for (const char* part : layer_parts) tensors.push_back(first_tensor(part, layer, tensor_of_role));
    table.put("layers/model_index", model);
    table.put("layers/layer", layer);
    table.put_row("layers/tensor_index", tensors);
    table.put_row("layers/std", row_of(fingerprint->table.std_unbiased, row, missing));
    table.put_row("layers/log_frobenius", row_of(fingerprint->table.log_frobenius, row, missing));
    table.put_row("layers/kurtosis_excess", row_of(fingerprint->table.kurtosis_excess, row, missing));
    table.put_row("layers/n_elements", row_of(fingerprint->table.n_elements, row, std::uint64_t{0}));
    table.put_row("layers/s1", row_of(fingerprint->table.s1, row, missing));
    table.put_row("layers/stable_rank", row_of(fingerprint->table.stable_rank, row, missing));
    table.put_row("layers/effective_rank", row_of(fingerprint->table.effective_rank, row, missing));
    write_curves(table, curves == nullptr ? IntrinsicCurves{} : *curves,
                 curves == nullptr ? std::nullopt : position(curves->layer, layer));
    write_repaired(table, fingerprint->repaired, layer);
  }
}

}  // namespace stemma
