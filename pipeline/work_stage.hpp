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
  OrderBook* orders = nullptr;
  ResultSink sink;
};

/// Collective. Rank 0 hands out the plan's items and gets every result; with fewer than 32 ranks (or as
/// `mode` says) it also computes, on a second thread that makes no MPI call. Failed items are results; when
/// the sink of rank 0 throws, every rank throws.
void run_work(const Communicator& ranks, CoordinatorMode mode, const WorkInput& input,
              const ReaderMaker& reader);

}  // namespace stemma
