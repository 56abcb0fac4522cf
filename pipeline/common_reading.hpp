// How do all ranks of a job read, when only rank 0 knows the configuration?
#pragma once
#include <memory>
#include <optional>

#include "analyzers/distributed/communicator.hpp"
#include "io/formats/reading_policy.hpp"
#include "pipeline/log.hpp"
#include "pipeline/work_stage.hpp"

namespace stemma {

/// One policy for all readers of this process, the same choice on every rank.
class CommonReading {
 public:
  /// Collective. Rank 0 says which way; the others pass nothing.
  CommonReading(const Communicator& ranks, std::optional<DirectReading> wanted);
  /// Makes a reader of files; the policy lives as long as any of them.
  ReaderMaker maker() const;
  /// Collective. What many ranks noted alike is said once, by rank 0.
  void warn(const Communicator& ranks, Log& log) const;

 private:
  std::shared_ptr<ReadingPolicy> policy_;
};

}  // namespace stemma
