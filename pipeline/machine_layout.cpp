// Slots are dealt node by node, and what is aligned may be a team.
#include "pipeline/machine_layout.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <stdexcept>

namespace stemma {
namespace {

constexpr int dedicated_from = 32;

std::vector<int> computing(int ranks, CoordinatorMode mode) {
  std::vector<int> all;
  for (int rank = workers_among(ranks, mode) == ranks ? 0 : 1; rank < ranks; ++rank) all.push_back(rank);
  return all;
}

}  // namespace

int workers_among(int ranks, CoordinatorMode mode) {
  if (ranks == 1 || mode == CoordinatorMode::shared) return ranks;
  if (mode == CoordinatorMode::dedicated) return ranks - 1;
  return ranks < dedicated_from ? ranks : ranks - 1;
}

MachineLayout::MachineLayout(const std::vector<std::vector<int>>& nodes, int ranks)
    : ranks_(ranks), workers_(0), nodes_(static_cast<int>(nodes.size())) {
  std::size_t most = 0;
  for (const auto& node : nodes) most = std::max(most, node.size());
  if (most == 0) throw std::invalid_argument("a layout needs a rank that computes");
  slots_per_node_ = static_cast<int>(std::bit_ceil(most));
  const auto padded_nodes = std::bit_ceil(nodes.size());
  node_level_ = std::countr_zero(static_cast<unsigned>(slots_per_node_));
  top_level_ = node_level_ + std::countr_zero(padded_nodes);
  rank_.assign(padded_nodes * static_cast<std::size_t>(slots_per_node_), -1);
  slot_.assign(static_cast<std::size_t>(ranks), -1);
  std::vector<bool> whole(padded_nodes, false);  // may be part of a team of whole nodes
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    std::vector<int> here = nodes[n];
    std::sort(here.begin(), here.end());
    whole[n] = here.size() == most && n > 0;
    if (!here.empty() && here.front() == 0) std::rotate(here.begin(), here.begin() + 1, here.end());
    for (std::size_t i = 0; i < here.size(); ++i) {
      const std::size_t slot = n * static_cast<std::size_t>(slots_per_node_) + i;
      int& slot_of_rank = slot_.at(static_cast<std::size_t>(here[i]));
      if (slot_of_rank >= 0) throw std::invalid_argument("a rank sits in one slot only");
      slot_of_rank = static_cast<int>(slot);
      rank_[slot] = here[i];
      ++workers_;
    }
  }
  teams_.assign(2 * rank_.size(), false);
  for (int level = 0; level <= top_level_; ++level) {
    const int width = level < node_level_ ? 1 << level : static_cast<int>(most) << (level - node_level_);
    bool some = false;
    for (int index = 0; index < slots() >> level; ++index) {
      const bool team = is_team({level, index}, whole);
      teams_[static_cast<std::size_t>(number_of({level, index}))] = team;
      some = some || team;
    }
    width_.push_back(some ? width : 0);
  }
}

MachineLayout MachineLayout::uniform(int ranks, int ranks_per_node, CoordinatorMode mode) {
  std::vector<std::vector<int>> nodes(
      static_cast<std::size_t>((ranks + ranks_per_node - 1) / std::max(ranks_per_node, 1)));
  for (const int rank : computing(ranks, mode))
    nodes[static_cast<std::size_t>(rank / ranks_per_node)].push_back(rank);
  return MachineLayout(nodes, ranks);
}

MachineLayout MachineLayout::of_hosts(std::span<const std::string> hosts, CoordinatorMode mode) {
  std::map<std::string, std::size_t> known;
  std::vector<std::vector<int>> nodes;
  for (const std::string& host : hosts)
    if (known.try_emplace(host, nodes.size()).second) nodes.emplace_back();
  const int ranks = static_cast<int>(hosts.size());
  for (const int rank : computing(ranks, mode))
    nodes[known.at(hosts[static_cast<std::size_t>(rank)])].push_back(rank);
  return MachineLayout(nodes, ranks);
}

int MachineLayout::slot_of(int rank) const {
  return rank < 0 || rank >= ranks_ ? -1 : slot_[static_cast<std::size_t>(rank)];
}

int MachineLayout::level_of(int width) const {
  const auto at = std::find(width_.begin(), width_.end(), width);
  return at == width_.end() || width == 0 ? -1 : static_cast<int>(at - width_.begin());
}

bool MachineLayout::is_team(Block block, const std::vector<bool>& whole_nodes) const {
  if (block.level <= node_level_) {
    const int many = 1 << block.level;
    const auto first = rank_.begin() + static_cast<std::ptrdiff_t>(block.index) * many;
    if (std::all_of(first, first + many, [&](int rank) { return rank > 0 || (rank == 0 && many == 1); }))
      return true;
  }
  if (block.level < node_level_) return false;
  const int many = 1 << (block.level - node_level_);
  const auto first = whole_nodes.begin() + static_cast<std::ptrdiff_t>(block.index) * many;
  return std::all_of(first, first + many, [](bool whole) { return whole; });
}

Block MachineLayout::block_of(int number) const {
  const auto from_one = static_cast<unsigned>(number);
  const unsigned first_of_its_level = std::bit_floor(from_one);
  const int depth = std::countr_zero(first_of_its_level);
  return {top_level_ - depth, static_cast<int>(from_one - first_of_its_level)};
}

std::vector<int> MachineLayout::ranks_in(Block block) const {
  std::vector<int> ranks;
  const int first = block.index << block.level;
  for (int slot = first; slot < first + (1 << block.level); ++slot)
    if (rank_of(slot) >= 0) ranks.push_back(rank_of(slot));
  return ranks;
}

}  // namespace stemma
