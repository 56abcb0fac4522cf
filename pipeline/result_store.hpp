// Which subject of which model has which result?
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/archive/fingerprint.hpp"
#include "pipeline/perform.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/result_logs.hpp"

namespace stemma {

/// Results of one round in the logs, found by model, analyzer and subject. Memory holds one place per
/// subject.
class ResultStore {
 public:
  /// `models` is the number of surveyed models; `logs` outlive the store.
  ResultStore(ResultLogs& logs, std::size_t models)
      : logs_(logs), places_(models), failed_(models), failed_before_(models) {}
  ResultStore(const ResultStore&) = delete;
  ResultStore& operator=(const ResultStore&) = delete;

  /// Appends the features of one item of `model` under their keys. Those that are the same as of equal
  /// tensors are linked to them as soon as these are there. Throws StorageError.
  void add(std::uint32_t model, const ItemResult& result);

  /// Takes over what is known of all subjects of an order; false, and nothing is taken, where not every one
  /// of them has a result. Costs one key where the first has none.
  bool recall(const WorkOrder& order);

  /// Forgets failures of these subjects, which will be tried again; says how many there were.
  std::size_t forget(std::uint32_t model, std::span<const Subject> subjects);

  /// Links what could not be linked yet. Returns the items with subjects whose equals never came.
  std::vector<std::uint32_t> settle();

  /// Subjects that have the result of equal tensors.
  std::uint64_t linked() const { return linked_; }

  FeatureSource of_model(std::uint32_t model) const;

  /// Subjects of `model` that failed so far.
  struct FailedSubject {
    std::string subject;  ///< "histogram layers/3/attn.q"
    std::string rule, problem, suggestion;
    int rank = 0;        ///< where it failed
    double seconds = 0;  ///< spent on it
    std::string when;    ///< ISO 8601 UTC
    int attempts = 1;
  };
  const std::vector<FailedSubject>& failed(std::uint32_t model) const { return failed_[model]; }
  /// Subjects of `model` that have a result, failed or not.
  std::size_t known(std::uint32_t model) const { return places_[model].size(); }

 private:
  /// A subject that has the result of equal tensors.
  struct Link {
    std::uint32_t model = 0, item = 0;
    std::string name;
    Hash128 content;
  };

  ResultLogs& logs_;
  std::vector<std::unordered_map<std::string, RecordPlace>> places_;
  std::vector<std::vector<FailedSubject>> failed_;
  std::vector<std::set<std::string>> failed_before_;  ///< forgotten
  std::vector<Link> open_links_;
  std::uint64_t linked_ = 0;
};

}  // namespace stemma
