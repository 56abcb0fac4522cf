// Which questions does this run ask of every model, or of every pair?
#pragma once
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "analyzers/analyzer.hpp"
#include "analyzers/pair_analyzer.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// An analyzer, of models or of pairs, with its options.
struct Question {
  std::variant<const Analyzer*, const PairAnalyzer*> analyzer;
  std::map<std::string, double> options;

  const Method& method() const;
};

/// All subjects that these questions ask of one model, or of one pair, in a fixed order.
std::vector<Subject> subjects_of(const SurveyedModel& surveyed, const std::vector<Question>& questions);

/// A matrix, and a stored tensor, as an analyzer sees it.
Input input_of(const Matrix& matrix, const StoredTensor& tensor);
Input input_of(const StoredTensor& tensor);

/// The inputs of a subject: its matrices, then its stored tensors. Indices point into the lists that are
/// given.
std::vector<Input> inputs_of(const Subject& subject, std::span<const Matrix> matrices,
                             std::span<const StoredTensor> tensors);
std::vector<Input> inputs_of(const Subject& subject, const Model& model);

}  // namespace stemma
