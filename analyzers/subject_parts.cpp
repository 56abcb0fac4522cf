// Parameters say which companions there are; companions stand in the order in which they were added.
#include "analyzers/subject_parts.hpp"

#include <algorithm>

namespace stemma {

std::uint64_t parameter(const Subject& subject, const std::string& name) {
  const auto found = subject.parameters.find(name);
  return found == subject.parameters.end() || !(found->second > 0)
             ? 0
             : static_cast<std::uint64_t>(found->second);
}

Part part_of(const Input& input) {
  const std::optional<Role> role = role_at(input.role);
  return role ? role->part : Part::unknown;
}

std::optional<std::size_t> input_of(std::span<const Input> inputs, std::initializer_list<Part> parts) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (std::find(parts.begin(), parts.end(), part_of(inputs[i])) != parts.end()) return i;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> weight_index(const Model& model, const Role& role) {
  const Matrix* matrix = model.find(role);
  if (matrix == nullptr || !is_real(dtype_of(model, *matrix))) return std::nullopt;
  return static_cast<std::uint32_t>(matrix - model.matrices.data());
}

void add_gain(Subject& subject, const std::string& name, const Model& model, const Role& norm) {
  const auto index = weight_index(model, norm);
  subject.parameters[name] = index ? 1 : 0;
  if (!index) return;
  subject.companions.push_back(*index);
  subject.parameters[name + "_offset"] = model.matrices[*index].gain_offset;
}

std::vector<double> gain_of(const Subject& subject, const std::string& name,
                            std::span<const double> companion) {
  const auto offset = subject.parameters.find(name + "_offset");
  return effective_gain(companion, offset == subject.parameters.end() ? 0 : offset->second);
}

Gains::Gains(const Subject& subject, std::span<const std::vector<double>> companions) {
  std::size_t next = 0;
  const auto gain = [&](const std::string& name) -> std::vector<double> {
    if (parameter(subject, name) == 0 || next >= companions.size()) return {};
    return gain_of(subject, name, companions[next++]);
  };
  pre = gain("pre");
  post = gain("post");
  layer_norm = parameter(subject, "norm") == 1;
}

}  // namespace stemma
