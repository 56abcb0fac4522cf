// The names of parts and stacks, and paths made of them.
#include "io/model/role.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace stemma {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, part_count> part_names{
    "embed",           "pos_embed",       "type_embed",      "embed_norm",      "attn.q",
    "attn.k",          "attn.v",          "attn.o",          "attn.q_norm",     "attn.k_norm",
    "attn.sinks",      "attn.gate",       "attn.q_a",        "attn.q_a_norm",   "attn.q_b",
    "attn.kv_a",       "attn.kv_a_norm",  "attn.kv_b",       "attn.rel_bias",   "xattn.q",
    "xattn.k",         "xattn.v",         "xattn.o",         "norm.pre_xattn",  "norm.pre_attn",
    "norm.post_attn",  "norm.pre_mlp",    "norm.post_mlp",   "mlp.gate",        "mlp.up",
    "mlp.down",        "moe.router",      "moe.router_bias", "moe.expert.gate", "moe.expert.up",
    "moe.expert.down", "moe.shared.gate", "moe.shared.up",   "moe.shared.down", "moe.shared_gate",
    "ssm.in",          "ssm.conv",        "ssm.x",           "ssm.dt",          "ssm.A_log",
    "ssm.D",           "ssm.out",         "ssm.norm",        "norm.final",      "lm_head",
    "pooler",          "buffer",          "other",           "unknown",
};
constexpr std::array<std::string_view, 5> stack_names{"decoder", "encoder", "vision", "audio", "mtp"};

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

/// A decimal number as path_of writes it: digits only, no leading zero.
std::optional<int> index_from(std::string_view text) {
  if (text.empty() || text.front() == '-' || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Removes `affix` from the front and says whether it was there.
bool take_front(std::string_view& text, std::string_view affix) {
  if (!text.starts_with(affix)) return false;
  text.remove_prefix(affix.size());
  return true;
}

}  // namespace

std::string_view name_of(Part part) { return part_names.at(static_cast<std::size_t>(part)); }
std::optional<Part> part_named(std::string_view name) { return named<Part>(part_names, name); }
std::string_view name_of(Stack stack) { return stack_names.at(static_cast<std::size_t>(stack)); }
std::optional<Stack> stack_named(std::string_view name) { return named<Stack>(stack_names, name); }

std::string path_of(const Role& role) {
  std::string path;
  if (role.stack != Stack::decoder) path += fmt::format("{}/", name_of(role.stack));
  if (role.layer >= 0) path += fmt::format("layers/{}/", role.layer);
  path += name_of(role.part);
  if (role.expert >= 0) path += fmt::format("/{}", role.expert);
  if (role.kind == Kind::bias) path += ".bias";
  return path;
}

std::optional<Role> role_at(std::string_view path) {
  Role role;
  for (const Stack stack : {Stack::encoder, Stack::vision, Stack::audio, Stack::mtp}) {
    if (take_front(path, fmt::format("{}/", name_of(stack)))) {
      role.stack = stack;
      break;
    }
  }
  if (take_front(path, "layers/")) {
    const auto slash = path.find('/');
    const auto layer = index_from(path.substr(0, slash));
    if (!layer || slash == std::string_view::npos) return std::nullopt;
    role.layer = *layer;
    path.remove_prefix(slash + 1);
  }
  if (path.ends_with(".bias")) {
    role.kind = Kind::bias;
    path.remove_suffix(5);
  }
  if (const auto slash = path.find('/'); slash != std::string_view::npos) {
    const auto expert = index_from(path.substr(slash + 1));
    if (!expert) return std::nullopt;
    role.expert = *expert;
    path = path.substr(0, slash);
  }
  const auto part = part_named(path);
  if (!part) return std::nullopt;
  role.part = *part;
  return role;
}

}  // namespace stemma
