// Models with the shapes of the Llama family, without a byte behind them.
#pragma once
#include <algorithm>
#include <string>
#include <utility>

#include "pipeline/survey.hpp"

namespace stemma::test {

struct LlamaShape {
  const char* name = "";
  int layers = 0;
  std::uint64_t hidden = 0, ffn = 0, heads = 0, kv_heads = 0, vocab = 0;
};
inline constexpr LlamaShape llama_tiny{"1.1B", 22, 2048, 5632, 32, 4, 32000};  // TinyLlama
inline constexpr LlamaShape llama_1b{"1B", 16, 2048, 8192, 32, 8, 128256};
inline constexpr LlamaShape llama_8b{"8B", 32, 4096, 14336, 32, 8, 128256};
inline constexpr LlamaShape llama_70b{"70B", 80, 8192, 28672, 64, 8, 128256};
inline constexpr LlamaShape llama_405b{"405B", 126, 16384, 53248, 128, 8, 128256};

/// A bf16 model of that shape: embedding, head and norms as well; one file for each layer.
inline SurveyedModel llama_model(const std::string& id, const LlamaShape& shape) {
  SurveyedModel surveyed;
  surveyed.request.id = id;
  Model model;
  model.family = "llama";
  const auto dim = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  model.dims = {{"heads", dim(shape.heads)},
                {"kv_heads", dim(shape.kv_heads)},
                {"head_dim", dim(shape.hidden / shape.heads)},
                {"hidden", dim(shape.hidden)},
                {"inter", dim(shape.ffn)},
                {"vocab", dim(shape.vocab)}};
  std::uint64_t offset = 0;
  const auto add = [&](Role role, std::uint64_t rows, std::uint64_t cols) {
    Matrix matrix;
    matrix.role = role;
    matrix.tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size());
    matrix.vector = cols == 1;
    matrix.rows = matrix.stored_rows = rows;
    matrix.cols = cols;
    matrix.slice = {.count = 1, .stride = 0, .offset = 0, .length = rows};
    const auto file = static_cast<std::uint32_t>(model.checkpoint.files.size() - 1);
    const std::uint64_t bytes = 2 * rows * cols;
    model.checkpoint.tensors.push_back({.name = path_of(role),
                                        .dtype = Dtype::bf16,
                                        .shape = {rows, cols},
                                        .file = file,
                                        .offset = offset,
                                        .bytes = bytes});
    offset += bytes;
    model.checkpoint.files.back().bytes = offset;
    model.matrices.push_back(matrix);
  };
  const auto begin_file = [&] {
    model.checkpoint.files.push_back({.path = id + "/" + std::to_string(model.checkpoint.files.size())});
    offset = 0;
  };
  const std::uint64_t narrow = shape.hidden / shape.heads * shape.kv_heads;
  begin_file();
  add({.part = Part::embed}, shape.vocab, shape.hidden);
  add({.part = Part::lm_head}, shape.vocab, shape.hidden);
  for (int layer = 0; layer < shape.layers; ++layer) {
    begin_file();
    const auto part = [&](Part p) { return Role{.layer = layer, .part = p}; };
    add(part(Part::norm_pre_attn), shape.hidden, 1);
    add(part(Part::norm_pre_mlp), shape.hidden, 1);
    add(part(Part::attn_q), shape.hidden, shape.hidden);
    add(part(Part::attn_k), narrow, shape.hidden);
    add(part(Part::attn_v), narrow, shape.hidden);
    add(part(Part::attn_o), shape.hidden, shape.hidden);
    add(part(Part::mlp_gate), shape.ffn, shape.hidden);
    add(part(Part::mlp_up), shape.ffn, shape.hidden);
    add(part(Part::mlp_down), shape.hidden, shape.ffn);
  }
  std::sort(model.matrices.begin(), model.matrices.end(),
            [](const Matrix& a, const Matrix& b) { return a.role < b.role; });
  surveyed.model = std::move(model);
  return surveyed;
}

}  // namespace stemma::test
