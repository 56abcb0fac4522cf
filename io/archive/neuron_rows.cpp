// How does the sketch of a model's neurons become rows of /methods/neuron_match?
#include <algorithm>
#include <span>

#include "io/archive/model_rows.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

/// Bytes of one row, filled up with absent readings.
void put_bytes(TableWriter& table, const std::string& column, std::span<const std::int8_t> bytes,
               std::size_t width) {
  std::vector<std::int8_t> row(width, no_reading);
  std::ranges::copy(bytes, row.begin());
  table.put_block(column, std::as_bytes(std::span(row)), 1);
}

}  // namespace

void write_neurons(TableWriter& table, std::uint32_t model, const NeuronSketch* found) {
  static const NeuronSketch nothing;
  const NeuronSketch& sketch = found != nullptr ? *found : nothing;
  const std::string group = "methods/neuron_match/";
  const std::size_t anchors = sketch.keys.size();
  table.put(group + "anchors", anchors);
  table.put(group + "anchors_by_string", sketch.by_string);
  table.put(group + "vocabulary", sketch.vocabulary);
  table.put(group + "block_start", table.rows(group + "layer"));
  table.put(group + "block_count", sketch.blocks.size());
  table.put(group + "attention_start", table.rows(group + "attention_layer_number"));
  table.put(group + "attention_count", sketch.attention.size());
  std::vector<std::uint64_t> keys = sketch.keys;
  keys.resize(most_anchors);
  table.put_row(group + "anchor_key", keys);
  for (const NeuronBlock& block : sketch.blocks) {
    table.put(group + "model_index", model);
    table.put(group + "layer", block.layer);
    table.put(group + "expert", block.expert);
    table.put(group + "units", block.units);
    table.put(group + "gated", block.gated ? 1 : 0);
    table.put(group + "order", block.order);
    table.put(group + "row_start", table.rows(group + "unit"));
    table.put(group + "row_count", block.size());
    table.put_block(group + "unit", std::as_bytes(std::span(block.unit)), block.size());
    table.put_all(group + "norm_first", block.norm_first);
    table.put_all(group + "norm_product", block.norm_product);
    for (std::size_t i = 0; i < block.size(); ++i) {
      put_bytes(table, group + "first", std::span(block.first).subspan(i * anchors, anchors), most_anchors);
      put_bytes(table, group + "second", std::span(block.second).subspan(i * anchors, anchors), most_anchors);
    }
  }
  for (const AttentionBlock& block : sketch.attention) {
    table.put(group + "attention_model_index", model);
    table.put(group + "attention_layer_number", block.layer);
    put_bytes(table, group + "attention_reading", block.reading,
              most_attention_anchors * most_attention_anchors);
  }
}

}  // namespace stemma
