// Where in a fingerprint does one canonical tensor stand, and was it measured?
#include "analyzers/tensor_marks.hpp"

#include "io/archive/evidence.hpp"

namespace stemma {

std::string subject_of(const Matrix& matrix, const Model& model) { return path_of(matrix, model.checkpoint); }

std::vector<std::uint32_t> fingerprinted_matrices(const Model& model) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < model.matrices.size(); ++i) {
    if (model.matrices[i].role.part != Part::buffer) out.push_back(i);
  }
  return out;
}

std::vector<TensorMark>& tensor_marks(const Model& model, Fingerprint& fingerprint) {
  if (!fingerprint.tensors.empty()) return fingerprint.tensors;
  for (const std::uint32_t i : fingerprinted_matrices(model)) {
    const Matrix& matrix = model.matrices[i];
    const Dtype dtype = model.checkpoint.tensors[matrix.tensor].dtype;
    TensorMark mark;
    mark.role = subject_of(matrix, model);
    mark.dtype = static_cast<std::uint8_t>(dtype);
    mark.rows = matrix.rows;
    mark.cols = matrix.cols;
    mark.bytes = matrix.elements() * bits_of(dtype) / 8;
    fingerprint.tensors.push_back(std::move(mark));
  }
  return fingerprint.tensors;
}

std::optional<Features> measured(const FeatureSource& features, std::string_view analyzer,
                                 std::string_view subject) {
  std::optional<Features> found = features(analyzer, subject);
  if (!found) return std::nullopt;
  const bool numbers =
      found->status == Status::ok || found->status == Status::nonfinite || found->status == Status::duplicate;
  return numbers ? std::move(found) : std::nullopt;
}

double number_in(const Features& features, const std::string& name) {
  const auto found = features.numbers.find(name);
  return found == features.numbers.end() ? missing : found->second;
}

std::uint64_t count_in(const Features& features, const std::string& name) {
  const auto found = features.counts.find(name);
  return found == features.counts.end() ? 0 : found->second;
}

}  // namespace stemma
