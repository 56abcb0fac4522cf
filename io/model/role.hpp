// What is a tensor for? The same word in every model.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stemma {

enum class Stack : std::uint8_t { decoder, encoder, vision, audio, mtp };

/// The closed vocabulary of parts. The numeric values are written to archives: append only.
enum class Part : std::uint8_t {
  embed,
  pos_embed,
  type_embed,
  embed_norm,
  attn_q,
  attn_k,
  attn_v,
  attn_o,
  attn_q_norm,
  attn_k_norm,
  attn_sinks,
  attn_gate,
  attn_q_a,
  attn_q_a_norm,
  attn_q_b,
  attn_kv_a,
  attn_kv_a_norm,
  attn_kv_b,
  attn_rel_bias,
  xattn_q,
  xattn_k,
  xattn_v,
  xattn_o,
  norm_pre_xattn,
  norm_pre_attn,
  norm_post_attn,
  norm_pre_mlp,
  norm_post_mlp,
  mlp_gate,
  mlp_up,
  mlp_down,
  moe_router,
  moe_router_bias,
  moe_expert_gate,
  moe_expert_up,
  moe_expert_down,
  moe_shared_gate_proj,
  moe_shared_up,
  moe_shared_down,
  moe_shared_gate,
  ssm_in,
  ssm_conv,
  ssm_x,
  ssm_dt,
  ssm_a_log,
  ssm_d,
  ssm_out,
  ssm_norm,
  norm_final,
  lm_head,
  pooler,
  buffer,   ///< dropped: masks, position ids, rotary tables
  other,    ///< known, not compared
  unknown,  ///< no architecture explains it
};
inline constexpr std::uint8_t part_count = 54;

enum class Kind : std::uint8_t { weight, bias };

/// The full key of a canonical tensor. Ordered: stack, layer, part, expert, kind.
struct Role {
  Stack stack = Stack::decoder;
  int layer = -1;
  Part part = Part::unknown;
  int expert = -1;
  Kind kind = Kind::weight;
  auto operator<=>(const Role&) const = default;
};

/// Dotted name of a part: "attn.q", "moe.expert.up", "norm.pre_attn", "lm_head".
std::string_view name_of(Part part);
std::optional<Part> part_named(std::string_view name);
std::string_view name_of(Stack stack);
std::optional<Stack> stack_named(std::string_view name);

/// Path of a role, used in archives, logs and tests: "layers/17/attn.q", "layers/3/moe.expert.up/5", "embed";
/// other stacks are prefixed ("encoder/layers/0/attn.q"), biases end in ".bias" ("layers/0/attn.q.bias").
std::string path_of(const Role& role);
/// Inverse of path_of.
std::optional<Role> role_at(std::string_view path);

}  // namespace stemma
