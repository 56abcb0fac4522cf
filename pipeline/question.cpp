// Analyzers give their subjects in a fixed order, and those of one model are joined here.
#include "pipeline/question.hpp"

#include <iterator>

namespace stemma {

const Method& Question::method() const {
  return *std::visit([](const auto* which) -> const Method* { return which; }, analyzer);
}

std::vector<Subject> subjects_of(const SurveyedModel& surveyed, const std::vector<Question>& questions) {
  std::vector<Subject> all;
  for (const Question& question : questions) {
    const auto* of_pairs = std::get_if<const PairAnalyzer*>(&question.analyzer);
    std::vector<Subject> some =
        of_pairs ? (*of_pairs)->subjects(*surveyed.pair, question.options)
                 : std::get<const Analyzer*>(question.analyzer)->subjects(*surveyed.model, question.options);
    for (Subject& subject : some) subject.analyzer = question.method().name();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

Input input_of(const Matrix& matrix, const StoredTensor& tensor) {
  const bool named = matrix.role.part != Part::unknown && matrix.role.part != Part::other;
  return {named ? path_of(matrix.role) : tensor.name, tensor.dtype, matrix.rows, matrix.cols,
          matrix.gain_offset};
}

Input input_of(const StoredTensor& tensor) {
  if (tensor.shape.size() == 2) return {tensor.name, tensor.dtype, tensor.shape[0], tensor.shape[1], 0};
  std::uint64_t elements = 1;
  for (const std::uint64_t extent : tensor.shape) elements *= extent;
  return {tensor.name, tensor.dtype, elements, 1, 0};
}

std::vector<Input> inputs_of(const Subject& subject, std::span<const Matrix> matrices,
                             std::span<const StoredTensor> tensors) {
  std::vector<Input> inputs;
  for (const std::uint32_t m : subject.matrices)
    inputs.push_back(input_of(matrices[m], tensors[matrices[m].tensor]));
  for (const std::uint32_t t : subject.stored) inputs.push_back(input_of(tensors[t]));
  return inputs;
}

std::vector<Input> inputs_of(const Subject& subject, const Model& model) {
  return inputs_of(subject, model.matrices, model.checkpoint.tensors);
}

}  // namespace stemma
