// Companions are found again by parameters that hold their numbers.
#include "analyzers/pair_parts.hpp"

namespace stemma {

const Model& model_of(const ModelPair& pair, Side side) {
  return side == Side::base ? *pair.base : *pair.candidate;
}

std::optional<std::uint32_t> index_in(const ModelPair& pair, Side side, const Role& role) {
  return side == Side::base ? pair.in_base(role) : pair.in_candidate(role);
}

void add_gain(const ModelPair& pair, Side side, const std::string& parameter, const Role& norm,
              Subject& subject) {
  const auto index = index_in(pair, side, norm);
  if (!index) return;
  subject.parameters[parameter] = static_cast<double>(subject.companions.size());
  subject.parameters[parameter + "_offset"] = model_of(pair, side).find(norm)->gain_offset;
  subject.companions.push_back(*index);
}

void add_map(const ModelPair& pair, Subject& subject) {
  const KnownAlignment& known = pair.alignment;
  const StreamChange change = known.change != StreamChange::unaligned ? known.change
                              : known.map                             ? StreamChange::orthogonal
                                                                      : StreamChange::identity;
  subject.parameters["change"] = static_cast<double>(change);
  if (!known.map || change == StreamChange::identity) return;
  subject.parameters["map"] = static_cast<double>(subject.companions.size());
  subject.companions.push_back(*known.map);
}

}  // namespace stemma
