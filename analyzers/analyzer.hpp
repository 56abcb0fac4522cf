// What is an analyzer: one question asked of one model.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "analyzers/method.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// One question asked of one model.
class Analyzer : public Method {
 public:
  /// From headers only: no weight is read. Ordered by path.
  virtual std::vector<Subject> subjects(const Model& model,
                                        const std::map<std::string, double>& options) const = 0;

  /// From the features of the subjects to the model's fingerprint: no weights, no communication.
  virtual void summarise(const Model& model, const FeatureSource& features,
                         const std::map<std::string, double>& options, Fingerprint& fingerprint) const = 0;
};

}  // namespace stemma
