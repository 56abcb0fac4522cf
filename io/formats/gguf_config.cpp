// One row for every dimension; a later one goes before an earlier one of its name.
#include "io/formats/gguf_config.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

struct Row {
  std::string_view key;  ///< behind "ARCHITECTURE."
  std::string_view name;
};
constexpr std::array rows{
    Row{"block_count", "num_hidden_layers"},
    Row{"context_length", "max_position_embeddings"},
    Row{"embedding_length", "hidden_size"},
    Row{"feed_forward_length", "intermediate_size"},
    Row{"vocab_size", "vocab_size"},
    Row{"expert_count", "num_experts"},
    Row{"expert_used_count", "num_experts_per_tok"},
    Row{"expert_feed_forward_length", "moe_intermediate_size"},
    Row{"expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
    Row{"expert_shared_count", "n_shared_experts"},
    Row{"leading_dense_block_count", "first_k_dense_replace"},
    Row{"attention.head_count", "num_attention_heads"},
    Row{"attention.head_count_kv", "num_key_value_heads"},
    Row{"attention.key_length", "head_dim"},
    Row{"attention.value_length", "v_head_dim"},
    Row{"attention.key_length_mla", "head_dim"},  // the other ones are then those of the compressed form
    Row{"attention.value_length_mla", "v_head_dim"},
    Row{"attention.q_lora_rank", "q_lora_rank"},
    Row{"attention.kv_lora_rank", "kv_lora_rank"},
    Row{"rope.dimension_count", "rope_dimensions"},
    Row{"ssm.conv_kernel", "conv_kernel"},
    Row{"ssm.inner_size", "ssm_inner_size"},
    Row{"ssm.state_size", "state_size"},
    Row{"ssm.time_step_rank", "time_step_rank"},
    Row{"ssm.group_count", "n_groups"},
};

}  // namespace

std::string gguf_config(const GgufMetadata& metadata) {
  const auto architecture = metadata.text("general.architecture");
  if (!architecture) return "";
  nlohmann::json config = {{"model_type", "gguf/" + printable(*architecture, 64)}};
  for (const Row& row : rows) {
    const auto value = metadata.common_count(*architecture + "." + std::string(row.key));
    if (value && *value > 0) config[row.name] = *value;
  }
  if (const GgufValue* tokens = metadata.find("tokenizer.ggml.tokens");
      tokens != nullptr && tokens->kind == GgufKind::array && tokens->elements > 0)
    config.emplace("vocab_size", tokens->elements);
  // How much of a head is turned; what the whole of it measures, where nothing else says so.
  const auto number = [&](const char* name) {
    return config.contains(name) ? config[name].get<double>() : 0.0;
  };
  const double heads = number("num_attention_heads"), turned = number("rope_dimensions");
  const double head = config.contains("head_dim") ? number("head_dim")
                      : heads > 0                 ? number("hidden_size") / heads
                                                  : 0;
  if (turned > 0 && turned < head) config["partial_rotary_factor"] = turned / head;
  return config.dump();
}

}  // namespace stemma
