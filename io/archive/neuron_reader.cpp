// How do rows of /methods/neuron_match become the sketch of a model's neurons again?
#include <algorithm>

#include "io/archive/fingerprint_reader.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

struct RowsOfModel {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// The first `count` numbers of every row.
std::vector<std::int8_t> read_answers(const TableReader& table, const std::string& column,
                                      const RowsOfModel& range, std::size_t count) {
  const auto bytes = table.read_bytes(column, h5::Type::i1, range.first, range.count);
  const std::uint64_t width = table.width(column);
  std::vector<std::int8_t> out;
  for (std::size_t row = 0; row < range.count; ++row)
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(static_cast<std::int8_t>(bytes.at(row * width + i)));
  return out;
}

}  // namespace

std::optional<NeuronSketch> read_neurons(const TableReader& table, std::size_t model) {
  const std::string group = "methods/neuron_match/";
  const RowsOfModel blocks{table.one<std::uint64_t>(group + "block_start", model),
                           table.one<std::uint32_t>(group + "block_count", model)};
  if (blocks.count == 0) return std::nullopt;
  NeuronSketch sketch;
  sketch.keys = table.read<std::uint64_t>(group + "anchor_key", model, 1);
  const auto anchors = table.one<std::uint32_t>(group + "anchors", model);
  sketch.keys.resize(std::min<std::size_t>(anchors, sketch.keys.size()));
  sketch.by_string = table.one<std::uint32_t>(group + "anchors_by_string", model);
  sketch.vocabulary = table.one<std::uint64_t>(group + "vocabulary", model);
  const auto column = [&]<class Number>(const char* name, Number) {
    return table.read<Number>(group + name, blocks.first, blocks.count);
  };
  const auto layer = column("layer", std::int32_t{}), expert = column("expert", std::int32_t{});
  const auto units = column("units", std::uint32_t{}), count = column("row_count", std::uint32_t{});
  const auto start = column("row_start", std::uint64_t{});
  const auto gated = column("gated", std::uint8_t{});
  const auto order = column("order", double{});
  for (std::size_t i = 0; i < blocks.count; ++i) {
    NeuronBlock& block = sketch.blocks.emplace_back();
    block.layer = layer[i];
    block.expert = expert[i];
    block.units = units[i];
    block.gated = gated[i] == 1;
    block.order = order[i];
    const RowsOfModel neurons{start[i], count[i]};
    block.unit = table.read<std::uint32_t>(group + "unit", neurons.first, neurons.count);
    block.norm_first = table.read<double>(group + "norm_first", neurons.first, neurons.count);
    block.norm_product = table.read<double>(group + "norm_product", neurons.first, neurons.count);
    block.first = read_answers(table, group + "first", neurons, sketch.keys.size());
    block.second = read_answers(table, group + "second", neurons, sketch.keys.size());
  }
  const std::size_t asked = attention_anchors(sketch.keys.size(), sketch.by_string).size();
  const RowsOfModel layers{table.one<std::uint64_t>(group + "attention_start", model),
                           table.one<std::uint32_t>(group + "attention_count", model)};
  for (std::uint64_t row = layers.first; row < layers.first + layers.count; ++row)
    sketch.attention.push_back({table.one<std::int32_t>(group + "attention_layer_number", row),
                                read_answers(table, group + "attention_reading", {row, 1}, asked * asked)});
  return sketch;
}

}  // namespace stemma
