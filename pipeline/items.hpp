// Which pieces of work is a corpus made of, and what does each ask for?
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/cost_model.hpp"
#include "pipeline/question.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Which subjects of its tensors an item serves: all that are not apart, or, where they were split, only
/// those with a decomposition that a team may share, or only the others; or one subject that is apart, for
/// values or for half distances.
enum class Portion : std::uint8_t { all, decompositions, others, apart, half_distances };
inline bool is_apart(Portion portion) {
  return portion == Portion::apart || portion == Portion::half_distances;
}

/// The smallest thing that is scheduled, counted and allowed to fail: stored tensors of one model that are
/// read together because some subject needs them together, or because they are small neighbours.
struct Item {
  std::uint32_t model = 0;             ///< index into the survey
  std::vector<std::uint32_t> tensors;  ///< stored tensors, in the order of reading: of file and offset, or as
                                       ///< the subject that is apart asks
  std::optional<std::uint32_t> file;   ///< instead of tensors: one whole file, for a question about its bytes
  Portion portion = Portion::all;
  std::uint32_t subjects = 0;  ///< how many results it will give
  std::uint32_t cost = 0;      ///< index into Plan::costs
  int width = 1;               ///< ranks that do it together
  double seconds = 0;          ///< predicted, on so many ranks
  bool asks = false;           ///< whether equal tensors may have been decomposed already: it asks first
  std::uint64_t bytes = 0;     ///< read from files, companions included
  std::uint64_t memory = 0;    ///< peak bytes on each of its ranks
};

/// First tensor of an item, or its file: the name by which people know it. Not escaped.
std::string name_of(const Item& item, const Model& model);

/// Bytes that every rank needs whatever it works on: program and libraries (25 MB), MPI (10 to 20 MB on one
/// node), the part of BLAS's buffers that multiplications touch (10 MB), and as much again for what the heap
/// keeps. bench_memory.py measures it together with the items.
inline constexpr std::uint64_t fixed_memory = 64'000'000;

/// All items of a corpus, width 1, no time predicted. Layers are alike and models come in families, so items
/// share few costs, each kept once.
struct Inventory {
  std::vector<Item> items;  ///< in order of model, file and offset
  std::vector<ItemCost> costs;
  std::uint64_t weight_bytes = 0;  ///< bytes of all tensors that are needed, each counted once
  std::uint64_t again_bytes = 0;   ///< of tensors that are read by two items: split, or for a subject apart
};

/// Models that could not be read have no items. O(n log n) for n tensors.
Inventory take_inventory(std::span<const SurveyedModel> models, const std::vector<Question>& questions);

/// The same work in smaller pieces: every item with a cost that `which` names becomes one item for the
/// decompositions of each of its tensors and one for everything else. What a team shares is then alone, and
/// what it cannot share holds up nobody; the price is that the bytes are read twice. Whole files and tensors
/// without a decomposition stay as they are.
Inventory split(const Inventory& inventory, const std::vector<bool>& which,
                std::span<const SurveyedModel> models, const std::vector<Question>& questions);

/// Whether the item serves that subject of its model, which asks for no file.
bool serves(const Item& item, const Subject& subject, const Model& model,
            const std::vector<Question>& questions);

}  // namespace stemma
