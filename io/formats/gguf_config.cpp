// One row for every dimension; a later one goes before an earlier one of its name.
#include "io/formats/gguf_config.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

struct ConfigRow {
  std::string_view key;  ///< behind "ARCHITECTURE."
  std::string_view name;
};
constexpr std::array config_rows{
    ConfigRow{"block_count", "num_hidden_layers"},
    ConfigRow{"context_length", "max_position_embeddings"},
    ConfigRow{"embedding_length", "hidden_size"},
    ConfigRow{"feed_forward_length", "intermediate_size"},
    ConfigRow{"vocab_size", "vocab_size"},
    ConfigRow{"expert_count", "num_experts"},
    ConfigRow{"expert_used_count", "num_experts_per_tok"},
    ConfigRow{"expert_feed_forward_length", "moe_intermediate_size"},
    ConfigRow{"expert_shared_feed_forward_length", "shared_expert_intermediate_size"},
    ConfigRow{"expert_shared_count", "n_shared_experts"},
    ConfigRow{"leading_dense_block_count", "first_k_dense_replace"},
    ConfigRow{"attention.head_count", "num_attention_heads"},
    ConfigRow{"attention.head_count_kv", "num_key_value_heads"},
    ConfigRow{"attention.key_length", "head_dim"},
    ConfigRow{"attention.value_length", "v_head_dim"},
    ConfigRow{"attention.key_length_mla",
              "head_dim"},  // the other ones are then those of the compressed form
    ConfigRow{"attention.value_length_mla", "v_head_dim"},
    ConfigRow{"attention.q_lora_rank", "q_lora_rank"},
    ConfigRow{"attention.kv_lora_rank", "kv_lora_rank"},
    ConfigRow{"rope.dimension_count", "rope_dimensions"},
    ConfigRow{"ssm.conv_kernel", "conv_kernel"},
    ConfigRow{"ssm.inner_size", "ssm_inner_size"},
    ConfigRow{"ssm.state_size", "state_size"},
    ConfigRow{"ssm.time_step_rank", "time_step_rank"},
    ConfigRow{"ssm.group_count", "n_groups"},
};

}  // namespace

std::string gguf_config(const GgufMetadata& metadata) {
  const auto architecture = metadata.text("general.architecture");
  if (!architecture) return "";
  nlohmann::json config = {{"model_type", "gguf/" + printable(*architecture, 64)}};
  for (const ConfigRow& row : config_rows) {
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
