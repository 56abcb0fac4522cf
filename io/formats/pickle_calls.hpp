// What would a call in a pickle have made?
#pragma once
#include "io/formats/pickle_graph.hpp"

namespace stemma {

/// REDUCE: `callable` with a tuple of arguments. Calls that nobody knows make opaque values.
PickleRef pickle_call(PickleGraph& graph, PickleRef callable, PickleRef arguments);

/// NEWOBJ: an object of a class, before its state.
PickleRef pickle_object(PickleGraph& graph, PickleRef type);

/// Whether a persistent id is that of a storage: ("storage", type, key, location, number of elements).
bool is_storage_id(const PickleGraph& graph, PickleRef id);

}  // namespace stemma
