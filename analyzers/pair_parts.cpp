// Companions are found again by parameters that hold their numbers.
#include "analyzers/pair_parts.hpp"

#include "analyzers/folding.hpp"
#include "analyzers/stream_alignment.hpp"

namespace stemma {

Role role_of(Part part, int layer, Kind kind) { return {.layer = layer, .part = part, .kind = kind}; }

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

std::vector<double> gain_of(const Subject& subject, std::span<const std::vector<double>> companions,
                            const std::string& parameter) {
  const auto at = subject.parameters.find(parameter);
  if (at == subject.parameters.end()) return {};
  return effective_gain(companions[static_cast<std::size_t>(at->second)],
                        subject.parameters.at(parameter + "_offset"));
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

StreamAlignment map_of(const Subject& subject, std::span<const std::vector<double>> companions,
                       std::uint64_t width) {
  const auto change = static_cast<StreamChange>(subject.parameters.at("change"));
  const auto map = subject.parameters.find("map");
  if (map == subject.parameters.end()) return alignment_with(change, 1, width, {});
  return alignment_with(change, 1, width, companions[static_cast<std::size_t>(map->second)]);
}

std::string problem_of(const std::optional<Features>& features) {
  if (!features) return "it was not read";
  if (features->status == Status::failed) return features->problem;
  return features->status == Status::nonfinite ? "an element is not finite" : "";
}

}  // namespace stemma
