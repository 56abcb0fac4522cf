// Checkpoints for tests, made without files.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "io/model/architecture.hpp"

namespace stemma::test {

/// Collects tensors; take() gives the checkpoint as a reader would: sorted by name, offsets in file order.
class MadeCheckpoint {
 public:
  explicit MadeCheckpoint(std::string config = "") {
    checkpoint_.location = "made";
    checkpoint_.format = "safetensors";
    checkpoint_.config_json = std::move(config);
    checkpoint_.files.push_back({.path = "model.safetensors"});
  }

  MadeCheckpoint& add(std::string name, std::vector<std::uint64_t> shape, Dtype dtype = Dtype::bf16) {
    StoredTensor tensor{.name = std::move(name), .dtype = dtype, .shape = std::move(shape)};
    tensor.bytes = (tensor.elements() * bits_of(dtype) + 7) / 8;
    checkpoint_.tensors.push_back(std::move(tensor));
    return *this;
  }
  MadeCheckpoint& drop(const std::string& name) {
    std::erase_if(checkpoint_.tensors, [&](const StoredTensor& tensor) { return tensor.name == name; });
    return *this;
  }
  MadeCheckpoint& rename(const std::string& prefix) {
    for (StoredTensor& tensor : checkpoint_.tensors) tensor.name = prefix + tensor.name;
    return *this;
  }
  MadeCheckpoint& config(std::string text) {
    checkpoint_.config_json = std::move(text);
    return *this;
  }

  Checkpoint take() const {
    Checkpoint made = checkpoint_;
    std::sort(made.tensors.begin(), made.tensors.end(),
              [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
    std::uint64_t at = 0;
    for (StoredTensor& tensor : made.tensors) {
      tensor.offset = at;
      at += tensor.bytes;
    }
    return made;
  }

 private:
  Checkpoint checkpoint_;
};

/// Shapes of the smallest zoo models: hidden 128, 4 heads of 32, 2 kv heads, inter 344, vocabulary 256.
inline const char* llama_config() {
  return R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128,
    "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
    "intermediate_size": 344, "vocab_size": 256, "tie_word_embeddings": false})";
}

inline MadeCheckpoint llama(int layers = 3, const std::string& config = llama_config()) {
  MadeCheckpoint made(config);
  made.add("model.embed_tokens.weight", {256, 128})
      .add("model.norm.weight", {128})
      .add("lm_head.weight", {256, 128});
  for (int i = 0; i < layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    made.add(layer + "input_layernorm.weight", {128})
        .add(layer + "post_attention_layernorm.weight", {128})
        .add(layer + "self_attn.q_proj.weight", {128, 128})
        .add(layer + "self_attn.k_proj.weight", {64, 128})
        .add(layer + "self_attn.v_proj.weight", {64, 128})
        .add(layer + "self_attn.o_proj.weight", {128, 128})
        .add(layer + "mlp.gate_proj.weight", {344, 128})
        .add(layer + "mlp.up_proj.weight", {344, 128})
        .add(layer + "mlp.down_proj.weight", {128, 344});
  }
  return made;
}

/// Hidden 8, 2 layers, 3 experts of 5.
inline MadeCheckpoint mixtral(bool fused) {
  MadeCheckpoint made(
      R"({"model_type": "mixtral", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "intermediate_size": 5, "vocab_size": 30, "num_local_experts": 3})");
  made.add("model.embed_tokens.weight", {30, 8}).add("model.norm.weight", {8}).add("lm_head.weight", {30, 8});
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    made.add(layer + "input_layernorm.weight", {8})
        .add(layer + "post_attention_layernorm.weight", {8})
        .add(layer + "self_attn.q_proj.weight", {8, 8})
        .add(layer + "self_attn.k_proj.weight", {4, 8})
        .add(layer + "self_attn.v_proj.weight", {4, 8})
        .add(layer + "self_attn.o_proj.weight", {8, 8});
    if (fused) {
      made.add(layer + "mlp.gate.weight", {3, 8})
          .add(layer + "mlp.experts.gate_up_proj", {3, 10, 8})
          .add(layer + "mlp.experts.down_proj", {3, 8, 5});
      continue;
    }
    made.add(layer + "block_sparse_moe.gate.weight", {3, 8});
    for (const std::string expert : {"0", "1", "2"}) {
      const std::string prefix = layer + "block_sparse_moe.experts." + expert;
      made.add(prefix + ".w1.weight", {5, 8})
          .add(prefix + ".w3.weight", {5, 8})
          .add(prefix + ".w2.weight", {8, 5});
    }
  }
  return made;
}

/// GPT-2 with hidden 12, 3 heads, vocabulary 50, 20 positions; one mask per layer.
inline MadeCheckpoint gpt2(int layers = 2) {
  MadeCheckpoint made(R"({"model_type": "gpt2", "n_embd": 12, "n_head": 3, "n_layer": 2, "n_inner": null,
    "vocab_size": 50, "n_positions": 20})");
  made.add("wte.weight", {50, 12})
      .add("wpe.weight", {20, 12})
      .add("ln_f.weight", {12})
      .add("ln_f.bias", {12});
  for (int i = 0; i < layers; ++i) {
    const std::string layer = "h." + std::to_string(i) + ".";
    made.add(layer + "attn.bias", {1, 1, 20, 20}, Dtype::f32).add(layer + "attn.masked_bias", {}, Dtype::f32);
    const auto linear = [&](const std::string& name, std::uint64_t in, std::uint64_t out) {
      made.add(layer + name + ".weight", {in, out}).add(layer + name + ".bias", {out});
    };
    linear("attn.c_attn", 12, 36);
    linear("attn.c_proj", 12, 12);
    linear("mlp.c_fc", 12, 48);
    linear("mlp.c_proj", 48, 12);
    for (const char* norm : {"ln_1", "ln_2"}) {
      made.add(layer + norm + ".weight", {12}).add(layer + norm + ".bias", {12});
    }
  }
  return made;
}

/// Where in the stored tensor, counted in elements, the canonical element (row, column) lies.
inline std::uint64_t stored_at(const Matrix& matrix, std::uint64_t row, std::uint64_t column) {
  const std::uint64_t stored = matrix.slice.stored_row(row);
  return matrix.first_element +
         (matrix.transposed ? column * matrix.stored_rows + stored : stored * matrix.cols + column);
}

inline std::vector<std::string> rules(const Model& model) {
  std::vector<std::string> found;
  for (const Finding& finding : model.findings) found.push_back(finding.rule);
  return found;
}

inline std::vector<std::string> paths(const Model& model) {
  std::vector<std::string> found;
  for (const Matrix& matrix : model.matrices) found.push_back(path_of(matrix, model.checkpoint));
  return found;
}

inline const ArchitectureTables& shipped() {
  static const ArchitectureTables tables =
      ArchitectureTables::load({STEMMA_SOURCE_DIR "/configs/architectures"});
  return tables;
}

inline Model canonical(const MadeCheckpoint& made, std::string_view family = "") {
  return shipped().canonicalise(made.take(), family);
}

/// The matrix at a path; a test failure when there is none.
inline const Matrix& matrix(const Model& model, const std::string& path) {
  static const Matrix none;
  const auto role = role_at(path);
  const Matrix* found = role ? model.find(*role) : nullptr;
  EXPECT_NE(found, nullptr) << path;
  return found == nullptr ? none : *found;
}

/// The first finding of a rule; a test failure when there is none.
inline const Finding& finding(const Model& model, const std::string& rule) {
  static const Finding none;
  for (const Finding& candidate : model.findings) {
    if (candidate.rule == rule) return candidate;
  }
  ADD_FAILURE() << rule << " is missing";
  return none;
}

}  // namespace stemma::test
