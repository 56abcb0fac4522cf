// How do all ranks together turn a plan into results?
#pragma once
#include <functional>
#include <memory>

#include "analyzers/distributed/communicator.hpp"
#include "pipeline/coordinator.hpp"
#include "pipeline/plan.hpp"

namespace stemma {

/// Makes the reader of this rank; called once on each rank that computes.
using ReaderMaker = std::function<std::unique_ptr<ByteReader>()>;

/// What rank 0 brings to the work stage; the other ranks bring nothing but their reader.
struct WorkInput {
  const Plan* plan = nullptr;
  Coordinator::OrderWriter orders;
  ResultSink sink;
  Coordinator::TeamOrderWriter team_orders;  ///< may be empty where the plan has no item for a team
  double* occupied_seconds = nullptr;        ///< Coordinator::occupied_seconds is added, where wanted
  const TimeLimit* limit = nullptr;          ///< of this work; may be null
  ContentBook contents;                      ///< may be empty: nothing is known
  std::function<void()> now_and_then;        ///< called while there is nothing to do; may be empty
  UnderWay* under_way = nullptr;             ///< shows what is handed out, where wanted
  std::function<void()> last_words;          ///< called before the job is ended because its time is over
};

/// Collective. Rank 0 hands out the plan's items and gets every result; with fewer than 32 ranks (or as
/// `mode` says) it also computes, on a second thread that makes no MPI call. Failed items are results. Any
/// exception of any rank outside of an item (the reader's maker, a message, the sink) stops everybody, and
/// every rank throws as in_unison does, the lowest rank that failed its own. Results that were sent before
/// reach the sink, unless the sink or the orders are what failed. When the limit comes, items are left
/// undone, and everybody returns as soon as what runs has ended. The job is aborted when MPI itself fails,
/// and, with ExitCode::stopped, when the limit is over and somebody still works.
void run_work(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input,
              const ReaderMaker& reader);

}  // namespace stemma
