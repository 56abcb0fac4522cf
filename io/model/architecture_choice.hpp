// Which family's table explains a checkpoint?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/model/architecture_table.hpp"
#include "io/model/finding_ledger.hpp"
#include "io/model/model_config.hpp"
#include "io/model/name_index.hpp"

namespace stemma {

/// What a table makes of one tensor, by name, type and number of axes.
struct TensorUse {
  enum class Fate : std::uint8_t { unknown, used, other, buffer, wrong_rank, wrong_layer, not_real };
  Fate fate = Fate::unknown;
  std::uint32_t entry = 0;
  bool bias = false;
  Binding at;
  Stack stack = Stack::decoder;  ///< of the entry, or mtp where the whole layer belongs to it
};

struct Explanation {
  const Architecture* table = nullptr;  ///< nullptr: no family
  bool ambiguous = false;               ///< no family, because several explain the names equally well
  std::vector<TensorUse> uses;          ///< per tensor
  std::vector<bool> active;             ///< per entry: its `when` holds
  std::uint64_t bytes = 0;              ///< of used tensors
  std::uint64_t all_bytes = 0;          ///< of all tensors but buffers
  int required = 0;                     ///< required entries and biases that occur
};

/// All values that an entry or a case of a dimension asks of config.json are there.
bool holds(const std::vector<Condition>& when, const Architecture& table, const ModelConfig& config);

/// Applies a table; nullptr for no table, which knows only the buffers of every family.
Explanation explain(const Architecture* table, const Checkpoint& checkpoint, const NameIndex& names,
                    const ModelConfig& config);

/// The forced family; else, of those that config.json claims, whose names fit and that explain 95 % of the
/// bytes, the one that explains most; else the same among all families; else a claimed one that explains
/// less. A table that is `claimed` needs its claim, and `rows`
/// decide where there is none. Notes contradicted claims, ties and checkpoints that
/// nothing explains.
Explanation choose(std::span<const Architecture* const> tables, const Architecture* forced,
                   const Checkpoint& checkpoint, const NameIndex& names, const ModelConfig& config,
                   FindingLedger& ledger);

}  // namespace stemma
