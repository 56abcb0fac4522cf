// A neuron is a row of gate, a row of up and a column of down; norms before and behind the MLP belong to
// them.
#include "analyzers/mlp_weights.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/moment_sums.hpp"
#include "analyzers/rank_correlation.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr std::array neuron_parts = {Part::mlp_gate, Part::mlp_up, Part::mlp_down};

}  // namespace

std::string mlp_problem(const Model& model, int layer) {
  const Matrix* up = model.find(role_of(Part::mlp_up, layer));
  const Matrix* down = model.find(role_of(Part::mlp_down, layer));
  const Matrix* gate = model.find(role_of(Part::mlp_gate, layer));
  if (up == nullptr || down == nullptr)
    return fmt::format("layer {} has no MLP of one gate, up and down", layer);
  for (const Matrix* matrix : {gate, up, down}) {
    if (matrix == nullptr) continue;
    if (const Dtype dtype = dtype_of(model, *matrix); !is_plain_float(dtype))
      return fmt::format("{} is stored as {}", path_of(matrix->role), name_of(dtype));
    const bool writer = matrix == down;
    if ((writer ? matrix->cols : matrix->rows) != up->rows ||
        (writer ? matrix->rows : matrix->cols) != up->cols)
      return fmt::format("{} does not have the shape that its neurons ask for", path_of(matrix->role));
  }
  return "";
}

bool has_gate(const Model& model, int layer) { return model.find(role_of(Part::mlp_gate, layer)) != nullptr; }

std::uint64_t stream_width(const Model& model) {
  for (int layer = 0; layer < model.layers(); ++layer)
    if (const Matrix* up = model.find(role_of(Part::mlp_up, layer))) return up->cols;
  return 0;
}

std::vector<int> shared_mlps(const ModelPair& pair) {
  std::vector<int> out;
  if (pair.base->layers() != pair.candidate->layers() ||
      stream_width(*pair.base) != stream_width(*pair.candidate))
    return out;
  for (int layer = 0; layer < pair.base->layers(); ++layer)
    if (mlp_problem(*pair.base, layer).empty() && mlp_problem(*pair.candidate, layer).empty() &&
        has_gate(*pair.base, layer) == has_gate(*pair.candidate, layer) &&
        has_gate(*pair.base, layer) == has_gate(*pair.base, out.empty() ? layer : out.front()))
      out.push_back(layer);
  return out;
}

std::vector<int> every_other(const std::vector<int>& layers, std::size_t first) {
  std::vector<int> out;
  for (std::size_t i = first; i < layers.size(); i += 2) out.push_back(layers[i]);
  return out;
}

std::vector<int> evenly_spaced(const std::vector<int>& layers, std::size_t most) {
  if (layers.size() <= most) return layers;
  std::vector<int> out;
  for (std::size_t i = 0; i < most; ++i) out.push_back(layers[i * (layers.size() - 1) / (most - 1)]);
  return out;
}

void add_mlps(const ModelPair& pair, int base_layer, int candidate_layer, const std::string& name,
              Subject& subject) {
  subject.parameters[name + "first"] = static_cast<double>(subject.matrices.size());
  subject.parameters[name + "gated"] = has_gate(*pair.base, base_layer) ? 1 : 0;
  subject.parameters[name + "centred"] = pair.base->norm == NormKind::layer ? 1 : 0;
  for (const Side side : {Side::base, Side::candidate}) {
    const int layer = side == Side::base ? base_layer : candidate_layer;
    for (const Part part : neuron_parts)
      if (const auto matrix = index_in(pair, side, role_of(part, layer))) subject.matrices.push_back(*matrix);
    // A block with one norm for attention and MLP reads both through it.
    const Role own = role_of(Part::norm_pre_mlp, layer);
    add_gain(pair, side, name + side_parameter(side, "pre"),
             index_in(pair, side, own) ? own : role_of(Part::norm_pre_attn, layer), subject);
    add_gain(pair, side, name + side_parameter(side, "post"), role_of(Part::norm_post_mlp, layer), subject);
  }
}

NeuronRows MlpPair::rows(Side side, MlpWeight weight) const {
  const std::size_t of_side = gated() ? 3 : 2, place = static_cast<std::size_t>(weight) + of_side - 3,
                    input = number("first") + (side == Side::base ? 0 : of_side) + place;
  const bool centred = number("centred") != 0, writer = weight == MlpWeight::down;
  const std::vector<double> gain =
      gain_of(subject_, companions_, name_ + side_parameter(side, writer ? "post" : "pre"));
  const std::uint64_t cols = held_.input(input).cols;
  NeuronRows out;
  out.width = writer ? held_.input(input).rows : cols;
  out.lengths.resize(writer ? cols : held_.input(input).rows);
  set_values(out, writer ? folded_writer_columns(held_.values(input), cols, gain, centred)
                         : folded_reader(held_.values(input), cols, gain, centred));
  return out;
}

void set_values(NeuronRows& rows, std::vector<double> values) {
  rows.values = std::move(values);
  for (std::uint64_t i = 0; i < rows.neurons(); ++i) rows.lengths[i] = norm_of(rows.row(i));
}

bool follow_places(std::span<const double> values) {
  return std::abs(rank_correlation_with_place(values)) > thresholds::sorted_neurons;
}

}  // namespace stemma
