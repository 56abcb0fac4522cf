// Which models are there, and what do their headers say?
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/pair_analyzer.hpp"
#include "io/archive/records.hpp"
#include "io/model/architecture.hpp"
#include "pipeline/done_count.hpp"

namespace stemma {

/// One model as the user asked for it.
struct ModelRequest {
  std::string id;
  std::string label;
  std::string path;
  std::string revision;
  std::string architecture;  ///< forced family, "" to let the files speak
  std::string family;        ///< the user's own grouping, shown and not used
  Use use = Use::subject;
  std::vector<Claim> declared;
};

/// A request and what its headers said. `model` is empty when the files cannot be used; `failure` then says
/// why, and `findings` everything that was found.
struct SurveyedModel {
  ModelRequest request;
  std::optional<Model> model;
  std::optional<Failure> failure;
  std::vector<Finding> findings;
  std::shared_ptr<const ModelPair> pair;  ///< of two models that are read together: `model` joins them
  /// What another archive says of it (known_models.hpp): then nothing of it is read, and there is no `model`.
  std::shared_ptr<const Fingerprint> known;
};

/// Opens every model: headers, index and configuration only, no weight is read. A model that cannot be read,
/// for whatever reason, becomes a row with that reason and disturbs no other. The result is sorted by id.
/// `opened`, where somebody wants to know, counts.
std::vector<SurveyedModel> survey(std::span<const ModelRequest> requests,
                                  const ArchitectureTables& architectures, DoneCount* opened = nullptr);

/// Findings of one model, those of its files first.
std::vector<Finding> findings_of(const SurveyedModel& surveyed);

/// Why a model that failed cannot be used; the file's name begins with the model's id.
Finding reason_of_failure(const SurveyedModel& failed);

/// A sentence about a model that begins with its id, which is not said twice.
std::string said_of(const std::string& id, const std::string& sentence);

}  // namespace stemma
