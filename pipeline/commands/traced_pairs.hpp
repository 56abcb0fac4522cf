// Which pairs does a command line ask to be traced, and where do their models lie?
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "pipeline/commands/request.hpp"
#include "pipeline/comparison.hpp"
#include "pipeline/trace.hpp"
#include "pipeline/trace_text.hpp"

namespace stemma {

/// Pairs as the command line names them, the base first, or a base and an adapter of it.
struct PairsToTrace {
  std::vector<SurveyedModel> models;
  std::vector<TracePair> pairs;
  std::vector<UnreadPair> unread;
  std::optional<ModelRequest> adapter;  ///< then `models` has the base alone
};

/// Two models, the first one as base, or a base and an adapter. Throws UsageError, InvalidInput.
PairsToTrace two_models(const AuditRequest& request);

/// The pairs of a table with columns a and b, each once, whichever way it stands there. The base is the model
/// that the other declares, else the one in column a. Throws ConfigProblems for ids that no model has, and in
/// a strict request InvalidInput for a model that cannot be read.
PairsToTrace listed_pairs(const AuditRequest& request, const std::string& file);

/// What archives say about which of their pairs are worth reading again.
class ArchivedPairs {
 public:
  /// `operands` are archives and run directories. With one, its own configuration says how it compares and
  /// which pairs are candidates; with several, the defaults do. `overrides` change either. Models lie where
  /// they did, or under `inputs`. Throws what models_of throws, ConfigProblems.
  ArchivedPairs(const std::vector<std::string>& operands, const std::vector<Override>& overrides,
                const std::string& inputs, const Invocation& invocation);

  /// Models by place, and how the work is done.
  const AuditRequest& request() const { return request_; }
  const Configuration& configuration() const { return configuration_; }
  std::span<const Fingerprint> fingerprints() const { return fingerprints_; }
  /// Pairs whose neurons the comparison wants; empty when no test asks.
  const ModelPairs& neuron_pairs() const { return neuron_pairs_; }
  /// The candidates, as a run chooses them. `left_out` are those beyond trace.max_pairs. The log shows how
  /// far it is.
  PairsToTrace candidates(std::vector<NeuronAgreement> neurons, std::uint64_t& left_out, Log& log) const;

 private:
  Configuration configuration_;
  AuditRequest request_;
  std::vector<Fingerprint> fingerprints_;
  ModelPairs neuron_pairs_;
};

}  // namespace stemma
