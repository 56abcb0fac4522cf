// Analyzers give their subjects in a fixed order, and those of one model are joined here.
#include "pipeline/question.hpp"

#include <iterator>

namespace stemma {

std::vector<Subject> subjects_of(const Model& model, const std::vector<Question>& questions) {
  std::vector<Subject> all;
  for (const Question& question : questions) {
    std::vector<Subject> some = question.analyzer->subjects(model, question.options);
    for (Subject& subject : some) subject.analyzer = question.analyzer->name();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

Input input_of(const Matrix& matrix, const StoredTensor& tensor) {
  const bool named = matrix.role.part != Part::unknown && matrix.role.part != Part::other;
  return {named ? path_of(matrix.role) : tensor.name, tensor.dtype, matrix.rows, matrix.cols,
          matrix.gain_offset};
}

std::vector<Input> inputs_of(const Subject& subject, const Model& model) {
  std::vector<Input> inputs;
  for (const std::uint32_t index : subject.matrices)
    inputs.push_back(input_of(model.matrices[index], model.checkpoint.tensors[model.matrices[index].tensor]));
  return inputs;
}

}  // namespace stemma
