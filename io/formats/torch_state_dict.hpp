// Which of the values in a pickle is the dict of a model's tensors?
#pragma once
#include <string>
#include <vector>

#include "io/formats/pickle.hpp"

namespace stemma {

struct StateDict {
  struct Entry {
    std::string name;
    PickleRef tensor = PickleGraph::none;
  };
  std::vector<Entry> entries;     ///< in the order of the dict, at least one
  std::vector<Finding> findings;  ///< warnings and notes
};

/// The dict at the root, or below one of the keys under which people keep one (state_dict, model_state_dict,
/// model, module, ema_state_dict, weights), three levels down at most; such a key goes before tensors that
/// lie beside it. Throws InvalidInput: pickle.whole_module, pickle.anonymous_tensors, pickle.no_tensors,
/// pickle.name_invalid, pickle.too_many_tensors.
StateDict find_state_dict(const Pickle& pickle, const std::string& file_name);

}  // namespace stemma
