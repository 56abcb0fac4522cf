// Which values does a pickle hold, read by a machine that imports, calls and creates nothing?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/formats/pickle_graph.hpp"
#include "io/model/finding.hpp"

namespace stemma {

struct Pickle {
  PickleGraph graph;
  PickleRef root = PickleGraph::none;
  std::vector<Finding> findings;  ///< warnings and notes, among them all global names
};

/// Interprets the opcodes that torch.save writes (protocol 2, and those of 3 to 5 that other writers need)
/// over dead values. `begin` is where the stream lies in the file `file_name`, for offsets in findings. Time
/// and memory are bounded by the stream and by limits. Throws InvalidInput: pickle.opcode, pickle.truncated,
/// pickle.stack_underflow, pickle.mark_missing, pickle.memo_missing, pickle.setitems_odd,
/// pickle.append_target, pickle.setitem_target, pickle.string_utf8, pickle.global_line, pickle.stack_global,
/// pickle.protocol, pickle.persistent_id, pickle.result, pickle.limit, and unexpected_global where a name was
/// met that would run code.
Pickle read_pickle(std::vector<char> stream, std::uint64_t begin, const std::string& file_name);

}  // namespace stemma
