// Which value did a pickle put into which slot?
#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "io/formats/pickle_graph.hpp"

namespace stemma {

/// Writers number slots from 0 on; a stranger may name any. Memory follows the number of slots in use.
class PickleMemo {
 public:
  void put(std::uint64_t slot, PickleRef ref) {
    if (slot < dense_.size()) {
      dense_[slot] = ref;
    } else if (slot == dense_.size()) {
      dense_.push_back(ref);
      if (!sparse_.empty()) sparse_.erase(slot);
    } else {
      sparse_[slot] = ref;
    }
  }
  std::optional<PickleRef> get(std::uint64_t slot) const {
    if (slot < dense_.size()) return dense_[slot];
    const auto found = sparse_.find(slot);
    if (found == sparse_.end()) return std::nullopt;
    return found->second;
  }
  std::size_t size() const { return dense_.size() + sparse_.size(); }

 private:
  std::vector<PickleRef> dense_;  ///< slots 0, 1, 2, ...
  std::unordered_map<std::uint64_t, PickleRef> sparse_;
};

}  // namespace stemma
