// Companions and further inputs are found again by parameters that hold their numbers.
#include "analyzers/pair_parts.hpp"

#include <fmt/format.h>

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

namespace {

std::string half_distances_parameter(std::size_t input) { return fmt::format("half_distances_of_{}", input); }

}  // namespace

void add_half_distances(const ModelPair& pair, Subject& subject) {
  const std::size_t inputs = subject.matrices.size();
  for (std::size_t i = 0; i < inputs; ++i) {
    const ModelPair::Codes* codes = pair.codes_of(subject.matrices[i]);
    if (codes == nullptr) continue;
    subject.parameters[half_distances_parameter(i)] = static_cast<double>(subject.matrices.size());
    subject.matrices.push_back(codes->half_distances);
  }
}

std::optional<std::size_t> half_distances_of_input(const Subject& subject, std::size_t input) {
  const auto found = subject.parameters.find(half_distances_parameter(input));
  if (found == subject.parameters.end()) return std::nullopt;
  return static_cast<std::size_t>(found->second);
}

std::string problem_of(const std::optional<Features>& features) {
  if (!features) return "it was not read";
  if (features->status == Status::failed) return features->problem;
  return features->status == Status::nonfinite ? "an element is not finite" : "";
}

}  // namespace stemma
