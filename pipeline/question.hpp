// Which questions does this run ask of every model?
#pragma once
#include <map>
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

/// A matrix as an analyzer sees it.
Input input_of(const Matrix& matrix, const StoredTensor& tensor);

/// The inputs of a subject, in the order of Subject::matrices.
std::vector<Input> inputs_of(const Subject& subject, const Model& model);

}  // namespace stemma
