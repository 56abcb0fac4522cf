// Pairs are dealt out in the order of the list: a rank's share of each pair of blocks is every so many-th.
#include "pipeline/neuron_stage.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include "analyzers/distributed/unison.hpp"
#include "analyzers/neuron_evidence.hpp"
#include "pipeline/neuron_codec.hpp"

namespace stemma {
namespace {

/// One pair of models as the ranks are told it: places in the two blocks, and in the list of pairs.
struct BlockTask {
  std::uint32_t a = 0, b = 0;
  std::uint64_t pair = 0;
};

/// Two blocks of models whose pairs are compared at one time.
struct BlockPair {
  std::uint64_t a = 0, b = 0;
};

/// Models [first, last) of those that have a sketch.
struct Block {
  std::size_t first = 0, last = 0;
};

template <class Value>
std::vector<std::byte> bytes_of(const std::vector<Value>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}
template <class Value>
std::vector<Value> values_in(std::span<const std::byte> bytes) {
  std::vector<Value> values(bytes.size() / sizeof(Value));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// What rank 0 knows: which models have sketches, their blocks, and the pairs of each two blocks.
class Deal {
 public:
  Deal(std::span<const Fingerprint> models, const ModelPairs& pairs, std::size_t most_bytes) {
    std::vector<std::size_t> place(models.size());  // among those with a sketch
    std::size_t filled = 0;
    for (std::size_t m = 0; m < models.size(); ++m) {
      if (!models[m].neurons) continue;
      const std::size_t bytes = travelling_bytes(*models[m].neurons);
      if (blocks_.empty() || filled + bytes > most_bytes) {
        blocks_.push_back({sketches_.size(), sketches_.size()});
        filled = 0;
      }
      filled += bytes;
      place[m] = sketches_.size();
      block_of_.push_back(blocks_.size() - 1);
      sketches_.push_back(&*models[m].neurons);
      ++blocks_.back().last;
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto& [a, b] = pairs[i];
      if (!models[a].neurons || !models[b].neurons) continue;
      const std::size_t x = block_of_[place[a]], y = block_of_[place[b]];
      tasks_[{x, y}].push_back({static_cast<std::uint32_t>(place[a] - blocks_[x].first),
                                static_cast<std::uint32_t>(place[b] - blocks_[y].first), i});
    }
  }

  /// Pairs of blocks that have pairs of models, ascending.
  std::vector<BlockPair> block_pairs() const {
    std::vector<BlockPair> out;
    for (const auto& [blocks, tasks] : tasks_) out.push_back({blocks.first, blocks.second});
    return out;
  }
  std::vector<std::byte> block(std::size_t index) const {
    return encode_sketches(
        std::span(sketches_).subspan(blocks_[index].first, blocks_[index].last - blocks_[index].first));
  }
  /// Pairs of which both models have a sketch.
  std::size_t pairs() const {
    std::size_t sum = 0;
    for (const auto& [blocks, tasks] : tasks_) sum += tasks.size();
    return sum;
  }
  std::vector<std::byte> tasks(const BlockPair& blocks) const {
    return bytes_of(tasks_.at({blocks.a, blocks.b}));
  }

 private:
  std::vector<const NeuronSketch*> sketches_;
  std::vector<std::size_t> block_of_;
  std::vector<Block> blocks_;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<BlockTask>> tasks_;
};

/// A block as it was received, decoded once while it is asked for again.
class Received {
 public:
  const std::vector<NeuronSketch>& take(const Communicator& ranks, const Deal* deal, std::size_t index) {
    if (held_ && *held_ == index) return sketches_;
    std::vector<std::byte> bytes;
    in_unison(ranks, "packing sketches of neurons", [&] {
      if (deal) bytes = deal->block(index);
    });
    ranks.broadcast(bytes, 0);
    in_unison(ranks, "unpacking sketches of neurons", [&] { sketches_ = decode_sketches(bytes); });
    held_ = index;
    return sketches_;
  }

 private:
  std::optional<std::size_t> held_;
  std::vector<NeuronSketch> sketches_;
};

}  // namespace

std::vector<NeuronAgreement> compare_neurons_together(const Communicator& ranks,
                                                      std::span<const Fingerprint> models,
                                                      const ModelPairs& pairs, double share,
                                                      DoneCount* compared, std::size_t most_bytes) {
  std::optional<Deal> deal;
  std::vector<NeuronAgreement> found;
  std::vector<std::byte> order;
  in_unison(ranks, "dealing out pairs of models", [&] {
    if (!ranks.leads()) return;
    found.resize(pairs.size());
    for (NeuronAgreement& agreement : found) agreement.abstain = "unsupported";
    deal.emplace(models, pairs, most_bytes);
    order = bytes_of(deal->block_pairs());
  });
  const bool detailed = ranks.all_reduce_sum(static_cast<double>(pairs.size())) <= most_detailed_pairs;
  const double share_of_all = ranks.all_reduce_sum(ranks.leads() ? share : 0);
  ranks.broadcast(order, 0);

  Received first, second;
  const auto together = static_cast<std::size_t>(ranks.size());
  std::size_t before = deal ? pairs.size() - deal->pairs() : 0;  // pairs that are done, or not to be done
  if (compared) *compared = before;
  for (const BlockPair& blocks : values_in<BlockPair>(order)) {
    const std::vector<NeuronSketch>& a = first.take(ranks, deal ? &*deal : nullptr, blocks.a);
    const std::vector<NeuronSketch>& b =
        blocks.a == blocks.b ? a : second.take(ranks, deal ? &*deal : nullptr, blocks.b);
    std::vector<std::byte> list;
    if (deal) list = deal->tasks(blocks);
    ranks.broadcast(list, 0);
    std::string mine;
    in_unison(ranks, "comparing neurons", [&] {
      const std::vector<BlockTask> tasks = values_in<BlockTask>(list);
      std::vector<PlacedAgreement> agreements;
      for (auto i = static_cast<std::size_t>(ranks.rank()); i < tasks.size(); i += together) {
        agreements.push_back({tasks[i].pair, compare_neurons(a[tasks[i].a], b[tasks[i].b], share_of_all)});
        if (!detailed) agreements.back().found.blocks = std::vector<BlockAgreement>();
        if (compared) *compared = before + std::min(i + together, tasks.size());
      }
      before += tasks.size();
      mine = encode_agreements(agreements);
    });
    const std::vector<std::string> all = ranks.gather(mine);
    in_unison(ranks, "gathering agreements of neurons", [&] {
      for (const std::string& one : all)
        for (PlacedAgreement& placed : decode_agreements(one))
          found.at(placed.pair) = std::move(placed.found);
    });
  }
  return found;
}

}  // namespace stemma
