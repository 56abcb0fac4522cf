// Which questions does this run ask of every model?
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "analyzers/analyzer.hpp"

namespace stemma {

/// An analyzer with its options.
struct Question {
  const Analyzer* analyzer = nullptr;
  std::map<std::string, double> options;
};

/// All subjects that these questions ask of one model, in a fixed order.
std::vector<Subject> subjects_of(const Model& model, const std::vector<Question>& questions);

/// A matrix, and a stored tensor, as an analyzer sees it.
Input input_of(const Matrix& matrix, const StoredTensor& tensor);
Input input_of(const StoredTensor& tensor);

/// The inputs of a subject: its matrices, then its stored tensors. Indices point into the lists that are
/// given.
std::vector<Input> inputs_of(const Subject& subject, std::span<const Matrix> matrices,
                             std::span<const StoredTensor> tensors);
std::vector<Input> inputs_of(const Subject& subject, const Model& model);

}  // namespace stemma
