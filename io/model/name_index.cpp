// Wrappers off, digits folded, names grouped.
#include "io/model/name_index.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace stemma {

NameIndex::NameIndex(std::span<const StoredTensor> tensors) {
  names_.reserve(tensors.size());
  for (std::uint32_t i = 0; i < tensors.size(); ++i) {
    names_.push_back(unwrapped(tensors[i].name));
    std::string key = fold_numbers(names_.back());
    const auto [at, is_new] = by_key_.try_emplace(std::move(key), groups_.size());
    if (is_new) groups_.push_back({at->first, {}});
    groups_[at->second].tensors.push_back(i);
  }
}

bool NameIndex::contains(std::span<const KeyedSpelling> pattern) const {
  return std::any_of(pattern.begin(), pattern.end(), [&](const KeyedSpelling& known) {
    const auto group = by_key_.find(known.key);
    if (group == by_key_.end()) return false;
    const auto& tensors = groups_[group->second].tensors;
    return std::any_of(tensors.begin(), tensors.end(), [&](const std::uint32_t tensor) {
      return known.spelling.match(names_[tensor]).has_value();
    });
  });
}

std::optional<std::uint32_t> NameIndex::first(std::span<const KeyedSpelling> pattern) const {
  std::optional<std::uint32_t> best;
  Binding lowest;
  for (const KeyedSpelling& known : pattern) {
    const auto group = by_key_.find(known.key);
    if (group == by_key_.end()) continue;
    for (const std::uint32_t tensor : groups_[group->second].tensors) {
      const auto found = known.spelling.match(names_[tensor]);
      if (!found) continue;
      if (best && std::tie(lowest.layer, lowest.expert) <= std::tie(found->layer, found->expert)) continue;
      best = tensor;
      lowest = *found;
    }
  }
  return best;
}

std::map<int, std::uint32_t> NameIndex::by_layer(std::span<const KeyedSpelling> pattern) const {
  std::map<int, std::uint32_t> all;
  for (const KeyedSpelling& known : pattern) {
    const auto group = by_key_.find(known.key);
    if (group == by_key_.end()) continue;
    for (const std::uint32_t tensor : groups_[group->second].tensors) {
      if (const auto found = known.spelling.match(names_[tensor])) all.emplace(found->layer, tensor);
    }
  }
  return all;
}

std::string unwrapped(std::string_view name) {
  constexpr std::array<std::string_view, 4> before{"module.", "_orig_mod.", "_fsdp_wrapped_module.",
                                                   "base_model.model."};
  constexpr std::string_view inside = "._fsdp_wrapped_module.";
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view wrapper : before) {
      if (!name.starts_with(wrapper) || name.size() == wrapper.size()) continue;
      name.remove_prefix(wrapper.size());
      again = true;
    }
  }
  std::string plain;
  plain.reserve(name.size());
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t next = name.find(inside, at);
    plain += name.substr(at, next == std::string_view::npos ? next : next - at);
    if (next == std::string_view::npos) break;
    at = next + inside.size() - 1;  // the dot before goes, the dot behind stays
  }
  return plain;
}

bool is_common_buffer(std::string_view name) {
  constexpr std::array<std::string_view, 4> ends{".rotary_emb.inv_freq", ".attention.rope.inv_freq",
                                                 ".position_ids", ".num_batches_tracked"};
  return name == "rope.freqs" || name.ends_with(".rope.freqs") ||
         std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace stemma
