// Which tensors of a checkpoint have alike names?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/model/architecture_table.hpp"

namespace stemma {

/// The names of a checkpoint without what wrappers put before them, grouped by fold_numbers: a model of 100
/// layers has few more groups than one of 2, so asking a table costs little.
class NameIndex {
 public:
  explicit NameIndex(std::span<const StoredTensor> tensors);

  struct Group {
    std::string key;
    std::vector<std::uint32_t> tensors;  ///< ascending
  };

  const std::string& name(std::uint32_t tensor) const { return names_[tensor]; }
  const std::vector<Group>& groups() const { return groups_; }
  std::size_t size() const { return names_.size(); }

  bool contains(std::span<const KeyedSpelling> pattern) const;  ///< some tensor fits the pattern
  /// Among the tensors that fit the pattern, the one of the lowest layer and expert.
  std::optional<std::uint32_t> first(std::span<const KeyedSpelling> pattern) const;
  /// The tensors that fit the pattern, one of each layer.
  std::map<int, std::uint32_t> by_layer(std::span<const KeyedSpelling> pattern) const;

 private:
  std::vector<std::string> names_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::size_t> by_key_;
};

/// The name without module., _orig_mod., base_model.model. before it and _fsdp_wrapped_module. anywhere in
/// it.
std::string unwrapped(std::string_view name);

/// Buffers of every family: rotary tables, position numbers, counters.
bool is_common_buffer(std::string_view name);

}  // namespace stemma
